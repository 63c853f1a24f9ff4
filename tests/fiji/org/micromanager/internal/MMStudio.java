package org.micromanager.internal;

import mmcorej.CMMCore;
import org.micromanager.AutofocusManager;
import org.micromanager.PluginManager;
import org.micromanager.SnapLiveManager;
import org.micromanager.Studio;
import org.micromanager.acquisition.AcquisitionManager;
import org.micromanager.acquisition.SequenceSettings;
import org.micromanager.acquisition.internal.AcquisitionEngine;
import org.micromanager.data.DataManager;
import org.micromanager.internal.pluginmanagement.DefaultPluginManager;
import org.micromanager.internal.utils.DefaultAutofocusManager;

/** Micro-Manager's Studio over the core that is played: live mode is its running sequence. */
public final class MMStudio implements Studio {
    private static MMStudio studio;

    private final CMMCore core;
    private final DefaultPluginManager plugins = new DefaultPluginManager(this);
    private final DefaultAutofocusManager autofocus = new DefaultAutofocusManager(this);
    private volatile boolean acquiring;
    private volatile PlayedAcquisition acquisition;

    /** What only a test can do: start it over a core, or end it with none. */
    public static void begin(CMMCore core) {
        studio = core == null ? null : new MMStudio(core);
    }

    private MMStudio(CMMCore core) {
        this.core = core;
    }

    public static MMStudio getInstance() {
        return studio;
    }

    /** What only a test can do: an acquisition of whose images nothing is known. */
    public void setAcquiring(boolean acquiring) {
        this.acquiring = acquiring;
    }

    /** What only a test can do: an acquisition that takes single images; without settings it ends. */
    public void acquire(SequenceSettings settings) {
        if (acquisition != null) acquisition.stop();
        acquisition = settings == null ? null : new PlayedAcquisition(core, settings);
    }

    public AcquisitionEngine getAcquisitionEngine() {
        return acquisition;
    }

    @Override
    public DataManager data() {
        return PlayedAcquisition::builder;
    }

    @Override
    public CMMCore core() {
        return core;
    }

    @Override
    public SnapLiveManager live() {
        return new SnapLiveManager() {
            @Override
            public boolean isLiveModeOn() {
                return core.isLive();
            }

            @Override
            public void setLiveModeOn(boolean on) {
                if (on) core.startContinuousSequenceAcquisition(0.0);
                else core.stopSequenceAcquisition();
            }
        };
    }

    @Override
    public AcquisitionManager acquisitions() {
        return () -> acquiring || (acquisition != null && acquisition.isAcquisitionRunning());
    }

    @Override
    public AutofocusManager getAutofocusManager() {
        return autofocus;
    }

    @Override
    public PluginManager plugins() {
        return plugins;
    }
}
