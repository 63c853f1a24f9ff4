package org.micromanager;

import mmcorej.CMMCore;
import org.micromanager.acquisition.AcquisitionManager;
import org.micromanager.data.DataManager;

public interface Studio {
    CMMCore core();

    SnapLiveManager live();

    AcquisitionManager acquisitions();

    DataManager data();

    AutofocusManager getAutofocusManager();

    PluginManager plugins();
}
