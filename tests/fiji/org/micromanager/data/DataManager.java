package org.micromanager.data;

public interface DataManager {
    Coords.Builder coordsBuilder();
}
