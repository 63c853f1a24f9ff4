package org.micromanager.acquisition.internal;

import org.micromanager.acquisition.SequenceSettings;
import org.micromanager.data.Datastore;

public interface AcquisitionEngine {
    Datastore getAcquisitionDatastore();

    SequenceSettings getSequenceSettings();

    long getNextWakeTime();

    boolean isAcquisitionRunning();
}
