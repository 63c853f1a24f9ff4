package org.micromanager.internal.utils;

import java.util.ArrayList;
import java.util.List;
import org.micromanager.AutofocusManager;
import org.micromanager.AutofocusPlugin;
import org.micromanager.Studio;

/** Lists what the plugin manager has, and forgets at each refresh what is not in that list. */
public final class DefaultAutofocusManager implements AutofocusManager {
    private final Studio studio;
    private final List<AutofocusPlugin> listed = new ArrayList<>();
    private AutofocusPlugin current;

    public DefaultAutofocusManager(Studio studio) {
        this.studio = studio;
    }

    @Override
    public void setAutofocusMethod(AutofocusPlugin plugin) {
        current = plugin;
    }

    @Override
    public void setAutofocusMethodByName(String name) {
        for (AutofocusPlugin plugin : listed) {
            if (plugin.getName().equals(name)) {
                current = plugin;
                return;
            }
        }
        throw new IllegalArgumentException("Invalid autofocus plugin name " + name);
    }

    @Override
    public AutofocusPlugin getAutofocusMethod() {
        return current;
    }

    @Override
    public List<String> getAllAutofocusMethods() {
        List<String> names = new ArrayList<>();
        for (AutofocusPlugin plugin : listed) names.add(plugin.getName());
        return names;
    }

    @Override
    public void refresh() {
        listed.clear();
        listed.addAll(studio.plugins().getAutofocusPlugins().values());
        AutofocusPlugin kept = null;
        for (AutofocusPlugin plugin : listed) {
            if (current != null && plugin.getName().equals(current.getName())) kept = plugin;
        }
        current = kept == null && !listed.isEmpty() ? listed.get(0) : kept;
    }

    @Override
    public void initialize() {
        for (AutofocusPlugin plugin : listed) plugin.initialize();
    }
}
