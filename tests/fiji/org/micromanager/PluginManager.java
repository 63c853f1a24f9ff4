package org.micromanager;

import java.util.HashMap;

public interface PluginManager {
    HashMap<String, AutofocusPlugin> getAutofocusPlugins();
}
