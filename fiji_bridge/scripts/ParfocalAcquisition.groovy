/** What the acquisition that Micro-Manager runs is like, and its images; parfocal.fiji_bridge.micromanager.acquisition says what for. */
class ParfocalAcquisition {
    private final studio

    ParfocalAcquisition(studio) { this.studio = studio }

    /** What it is like now; nothing where there is none, or this version tells nothing of it. */
    Map state() {
        def store = storeOf(engine())
        if (store == null) return null
        def settings = engine().getSequenceSettings(), summary = store.getSummaryMetadata()
        List custom = settings.useCustomIntervals() ? numbers(settings.customIntervalsMs()) : []
        return [
            store: System.identityHashCode(store), time_points: timePoints(store),
            wakes_in_s: (engine().getNextWakeTime() - System.nanoTime() / 1e6d) / 1e3d,
            longest_pause_s: (custom + (settings.intervalMs() as double)).max() / 1e3d,
            focuses_itself: settings.useAutofocus(), visits_positions: settings.usePositionList(),
            slices_um: !settings.useSlices() ? null : settings.relativeZSlice() ? numbers(settings.slices()) : [],
            channel_group: summary.getChannelGroup() ?: '', channels: summary.getChannelNames()*.toString() ?: [],
        ]
    }

    /** Where an image was taken; nothing where there is none, or that is not known. */
    Double z(int timePoint, int channel, int slice) { image(timePoint, channel, slice)?.getMetadata()?.getZPositionUm() }

    /** Its pixels, as Java has them. */
    Object pixels(int timePoint, int channel, int slice) { image(timePoint, channel, slice).getRawPixels() }

    private image(int timePoint, int channel, int slice) {
        def store = storeOf(engine())
        def coords = studio.data().coordsBuilder().t(timePoint).c(channel).z(slice).build()
        return store?.hasImage(coords) ? store.getImage(coords) : null
    }

    /** The Studio has it, its public face does not. */
    private engine() { studio.metaClass.respondsTo(studio, 'getAcquisitionEngine') ? studio.getAcquisitionEngine() : null }

    private static storeOf(engine) { engine?.getAcquisitionDatastore() }

    private static int timePoints(store) {
        // Older versions have it by its former name alone.
        return store.metaClass.respondsTo(store, 'getNextIndex', String) ? store.getNextIndex('time') : store.getAxisLength('time')
    }

    private static List numbers(values) { values == null ? [] : values.collect { it as double } }
}
