package org.micromanager;

import mmcorej.CMMCore;
import org.micromanager.acquisition.AcquisitionManager;

public interface Studio {
    CMMCore core();

    SnapLiveManager live();

    AcquisitionManager acquisitions();

    AutofocusManager getAutofocusManager();

    PluginManager plugins();
}
