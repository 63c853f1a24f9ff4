package org.micromanager.data;

public interface Coords {
    interface Builder {
        Builder t(int timePoint);

        Builder c(int channel);

        Builder z(int slice);

        Coords build();
    }
}
