package org.micromanager;

public interface SnapLiveManager {
    boolean isLiveModeOn();

    void setLiveModeOn(boolean on);
}
