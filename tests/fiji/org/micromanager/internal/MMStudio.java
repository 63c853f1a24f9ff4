package org.micromanager.internal;

import mmcorej.CMMCore;
import org.micromanager.AutofocusManager;
import org.micromanager.PluginManager;
import org.micromanager.SnapLiveManager;
import org.micromanager.Studio;
import org.micromanager.acquisition.AcquisitionManager;
import org.micromanager.internal.pluginmanagement.DefaultPluginManager;
import org.micromanager.internal.utils.DefaultAutofocusManager;

/** Micro-Manager's Studio over the core that is played: live mode is its running sequence. */
public final class MMStudio implements Studio {
    private static MMStudio studio;

    private final CMMCore core;
    private final DefaultPluginManager plugins = new DefaultPluginManager(this);
    private final DefaultAutofocusManager autofocus = new DefaultAutofocusManager(this);
    private volatile boolean acquiring;

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

    /** What only a test can do: an acquisition that takes single images. */
    public void setAcquiring(boolean acquiring) {
        this.acquiring = acquiring;
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
        return () -> acquiring;
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
