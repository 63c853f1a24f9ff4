package org.micromanager.internal;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import mmcorej.CMMCore;
import org.micromanager.acquisition.SequenceSettings;
import org.micromanager.acquisition.internal.AcquisitionEngine;
import org.micromanager.data.Coords;
import org.micromanager.data.Datastore;
import org.micromanager.data.Image;
import org.micromanager.data.Metadata;
import org.micromanager.data.SummaryMetadata;

/** An acquisition that sleeps, moves and exposes in the order of Micro-Manager's engine. */
public final class PlayedAcquisition implements AcquisitionEngine {
    private static final String[] CHANNELS = {"DAPI", "Cy5"};

    private record Place(int t, int c, int z) implements Coords {}

    private static final class Builder implements Coords.Builder {
        private int t, c, z;

        @Override
        public Coords.Builder t(int timePoint) {
            t = timePoint;
            return this;
        }

        @Override
        public Coords.Builder c(int channel) {
            c = channel;
            return this;
        }

        @Override
        public Coords.Builder z(int slice) {
            z = slice;
            return this;
        }

        @Override
        public Coords build() {
            return new Place(t, c, z);
        }
    }

    private final class Store implements Datastore {
        private final Map<Coords, Image> images = new ConcurrentHashMap<>();
        private volatile int timePoints;

        @Override
        public int getNextIndex(String axis) {
            if (!axis.equals("time")) throw new IllegalArgumentException(axis);
            return timePoints;
        }

        @Override
        public boolean hasImage(Coords coords) {
            return images.containsKey(coords);
        }

        @Override
        public Image getImage(Coords coords) {
            return images.get(coords);
        }

        @Override
        public SummaryMetadata getSummaryMetadata() {
            return new SummaryMetadata() {
                @Override
                public String getChannelGroup() {
                    return "Channel";
                }

                @Override
                public String[] getChannelNames() {
                    return CHANNELS;
                }
            };
        }
    }

    private final CMMCore core;
    private final SequenceSettings settings;
    private final Store store = new Store();
    private volatile long nextWakeTime = -1;
    private volatile boolean running = true;

    PlayedAcquisition(CMMCore core, SequenceSettings settings) {
        this.core = core;
        this.settings = settings;
        Thread thread = new Thread(this::run, "acquisition");
        thread.setDaemon(true);
        thread.start();
    }

    static Coords.Builder builder() {
        return new Builder();
    }

    private void run() {
        try {
            double reference = core.getPosition("Z");
            long woken = now();
            for (int t = 0; t < settings.numFrames() && running; t++) {
                if (t > 0) {
                    core.moveOwn(reference);
                    woken += (long) settings.intervalMs();
                    sleepUntil(woken);
                    // As after every sleep of more than a second.
                    reference = core.getPosition("Z");
                }
                for (int z = 0; z < settings.planes().size(); z++) {
                    double at = reference + settings.planes().get(z);
                    core.moveOwn(at);
                    for (int c = 0; c < CHANNELS.length; c++) store.images.put(new Place(t, c, z), taken(at, c == 0 ? 2 : 1));
                }
                store.timePoints = t + 1;
            }
        } catch (Exception error) {
            throw new IllegalStateException(error);
        } finally {
            running = false;
        }
    }

    private void sleepUntil(long time) throws InterruptedException {
        nextWakeTime = time;
        while (now() < time && running) Thread.sleep(5);
    }

    private Image taken(double zUm, int dimmer) throws Exception {
        Object pixels = core.expose(dimmer);
        Metadata metadata = () -> zUm;
        return new Image() {
            @Override
            public Metadata getMetadata() {
                return metadata;
            }

            @Override
            public Object getRawPixels() {
                return pixels;
            }
        };
    }

    private static long now() {
        return System.nanoTime() / 1_000_000;
    }

    void stop() {
        running = false;
    }

    @Override
    public Datastore getAcquisitionDatastore() {
        return store;
    }

    @Override
    public SequenceSettings getSequenceSettings() {
        return settings;
    }

    @Override
    public long getNextWakeTime() {
        return nextWakeTime;
    }

    @Override
    public boolean isAcquisitionRunning() {
        return running;
    }
}
