package org.micromanager.data;

public interface SummaryMetadata {
    String getChannelGroup();

    String[] getChannelNames();
}
