package org.micromanager.data;

public interface Metadata {
    Double getZPositionUm();
}
