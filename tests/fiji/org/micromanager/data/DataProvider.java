package org.micromanager.data;

import java.io.IOException;

public interface DataProvider {
    int getNextIndex(String axis);

    boolean hasImage(Coords coords);

    Image getImage(Coords coords) throws IOException;

    SummaryMetadata getSummaryMetadata();
}
