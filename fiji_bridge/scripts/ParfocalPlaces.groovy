import ij.ImagePlus

/** Which planes are measured together, and what they are called: numbers from 1. */
class ParfocalPlaces {
    final int channel, slice, frame

    ParfocalPlaces(int channel, int slice, int frame) {
        this.channel = channel
        this.slice = slice
        this.frame = frame
    }

    /** Planes of the channel and time point that are shown; with `all` of each time point, single planes together. */
    static List<List<ParfocalPlaces>> stacksOf(ImagePlus image, boolean all) {
        int channel = image.c
        if (all && image.NSlices == 1) {
            return [(1..image.NFrames).collect { new ParfocalPlaces(channel, 1, it) }]
        }
        List frames = all ? (1..image.NFrames).toList() : [image.t]
        return frames.collect { frame -> (1..image.NSlices).collect { new ParfocalPlaces(channel, it, frame) } }
    }

    /** The plane that is shown, or with `all` each of its channel, by itself. */
    static List<List<ParfocalPlaces>> planesOf(ImagePlus image, boolean all) {
        if (!all) return [[new ParfocalPlaces(image.c, image.z, image.t)]]
        return stacksOf(image, true).flatten().collect { [it] }
    }

    /** Title, with channel, slice and time point where the image has several and the planes have one. */
    static String labelOf(ImagePlus image, List<ParfocalPlaces> places) {
        List parts = [image.title]
        [['c', image.NChannels, places*.channel], ['z', image.NSlices, places*.slice], ['t', image.NFrames, places*.frame]].each { letter, count, numbers ->
            if (count > 1 && (numbers as Set).size() == 1) parts << "${letter}${numbers[0]}"
        }
        return parts.join(':')
    }
}
