package org.micromanager.data;

public interface Image {
    Metadata getMetadata();

    Object getRawPixels();
}
