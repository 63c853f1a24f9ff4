package org.micromanager.internal.pluginmanagement;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import org.micromanager.AutofocusPlugin;
import org.micromanager.MMPlugin;
import org.micromanager.PluginManager;
import org.micromanager.Studio;

/** Plugins come in only through a method that is private. */
public final class DefaultPluginManager implements PluginManager {
    private final Studio studio;
    private final List<MMPlugin> plugins = new ArrayList<>();

    public DefaultPluginManager(Studio studio) {
        this.studio = studio;
    }

    private void addPlugin(final MMPlugin plugin) {
        plugin.setContext(studio);
        plugins.add(plugin);
    }

    @Override
    public HashMap<String, AutofocusPlugin> getAutofocusPlugins() {
        HashMap<String, AutofocusPlugin> result = new HashMap<>();
        for (MMPlugin plugin : plugins) result.put(plugin.getClass().getName(), (AutofocusPlugin) plugin);
        return result;
    }
}
