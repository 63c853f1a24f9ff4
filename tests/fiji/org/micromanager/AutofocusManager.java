package org.micromanager;

import java.util.List;

public interface AutofocusManager {
    void setAutofocusMethod(AutofocusPlugin plugin);

    void setAutofocusMethodByName(String name);

    AutofocusPlugin getAutofocusMethod();

    List<String> getAllAutofocusMethods();

    void refresh();

    void initialize();
}
