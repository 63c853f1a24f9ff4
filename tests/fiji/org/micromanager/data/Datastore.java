package org.micromanager.data;

public interface Datastore extends DataProvider {}
