package org.micromanager;

public interface MMPlugin extends org.scijava.plugin.SciJavaPlugin {
    void setContext(Studio studio);

    String getName();

    String getHelpText();

    String getVersion();

    String getCopyright();
}
