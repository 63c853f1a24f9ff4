import ij.ImagePlus
import ij.WindowManager

/** Images in shared memory. */
class ParfocalMemory {
    /** Larger stacks go over in parts, of this size where a plane is not larger. */
    private static final long WHOLE_BYTES = 1L << 28, WINDOW_BYTES = 1L << 26

    /** Planes of an image in shared memory; those that are shown where none are named. Of more than fit, empty memory. */
    static Object handedOver(ImagePlus image, List places, int atOnce = Integer.MAX_VALUE) {
        List planes = places ?: ParfocalPlaces.stacksOf(image, false)[0]
        int count = Math.min(planes.size(), atOnce)
        checkSize(image, count)
        def array = ParfocalAppose.array(ParfocalPixels.typeOf(image), shapeOf(image, count, planes.size() > 1))
        if (count == planes.size()) ParfocalPixels.put(image, indicesOf(image, planes), array.buffer())
        return array
    }

    /** Indices of planes in the stack of an image. */
    static List<Integer> indicesOf(ImagePlus image, List places) {
        places.collect { image.getStackIndex(it.channel, it.slice, it.frame) }
    }

    /** How many of so many planes go over at once. */
    static int planesAtOnce(ImagePlus image, int nPlanes) {
        long each = ParfocalPixels.planeBytes(image)
        return each * nPlanes <= WHOLE_BYTES ? nPlanes : Math.max(1L, WINDOW_BYTES.intdiv(each)) as int
    }

    /** Shape of an array for planes of an image. */
    static List shapeOf(ImagePlus image, int nPlanes, boolean stack = nPlanes > 1) {
        (stack ? [nPlanes] : []) + [image.height, image.width] + (image.type == ImagePlus.COLOR_RGB ? [3] : [])
    }

    /** The open image of a title. */
    static ImagePlus named(String title) {
        ImagePlus other = WindowManager.getImage(title)
        if (other == null) {
            throw new IllegalArgumentException("no image '${title}' is open, open are: ${WindowManager.imageTitles.join(', ') ?: 'none'}")
        }
        return other
    }

    /** A mask, which must have the size of the image. */
    static ImagePlus ofSize(ImagePlus mask, ImagePlus image) {
        if (mask.width != image.width || mask.height != image.height) {
            throw new IllegalArgumentException("the mask ${mask.title} must have the size of the image, ${image.width} x ${image.height}, got ${mask.width} x ${mask.height}")
        }
        return mask
    }

    private static void checkSize(ImagePlus image, int nPlanes) {
        long bytes = nPlanes * ParfocalPixels.planeBytes(image)
        if (bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(String.format('%s holds %.1f GB of pixels, 2.1 GB can be handed over at once: take fewer slices (Image > Stacks > Tools > Make Substack...) or a folder', image.title, bytes / 1e9d))
        }
    }
}
