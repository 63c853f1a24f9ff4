package org.micromanager.acquisition;

public interface AcquisitionManager {
    boolean isAcquisitionRunning();
}
