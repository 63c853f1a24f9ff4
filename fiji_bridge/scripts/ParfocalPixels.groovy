import groovy.transform.CompileStatic
import ij.ImagePlus
import ij.ImageStack
import ij.gui.Roi
import ij.measure.Calibration
import ij.process.ByteProcessor
import ij.process.ColorProcessor
import ij.process.FloatProcessor
import ij.process.ImageProcessor
import ij.process.ShortProcessor
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** Planes of ImageJ as numbers in shared memory, and back. */
@CompileStatic
class ParfocalPixels {
    private static final int SIGNED_ZERO = 32768

    /** Type of the numbers, as numpy names it. */
    static String typeOf(ImagePlus image) {
        switch (image.type) {
            case ImagePlus.GRAY16: return image.calibration.isSigned16Bit() ? 'int32' : 'uint16'
            case ImagePlus.GRAY32: return 'float32'
            default: return 'uint8'
        }
    }

    /** Bytes of one plane. */
    static long planeBytes(ImagePlus image) {
        int each = image.type == ImagePlus.COLOR_RGB ? 3 : (['uint8': 1, 'uint16': 2] as Map<String, Integer>).getOrDefault(typeOf(image), 4)
        return each * (long) image.width * image.height
    }

    /** Write planes one after the other. */
    static void put(ImagePlus image, List<Integer> indices, ByteBuffer memory, ImageStack stack = image.getStack()) {
        ByteBuffer target = memory.order(ByteOrder.nativeOrder())
        boolean signed = image.calibration.isSigned16Bit()
        for (int index : indices) {
            ImageProcessor plane = stack.getProcessor(index)
            if (plane == null || plane.pixels == null) {
                throw new IllegalArgumentException("${image.title} must have pixels, its file can no longer be read: open it again")
            }
            putPlane(plane.pixels, target, signed)
        }
    }

    private static void putPlane(Object pixels, ByteBuffer target, boolean signed) {
        if (pixels instanceof byte[]) {
            target.put((byte[]) pixels)
        } else if (pixels instanceof float[]) {
            float[] values = (float[]) pixels
            target.asFloatBuffer().put(values)
            target.position(target.position() + 4 * values.length)
        } else if (pixels instanceof int[]) {
            for (int rgb : (int[]) pixels) {
                target.put((byte) (rgb >> 16)).put((byte) (rgb >> 8)).put((byte) rgb)
            }
        } else if (signed) {
            for (short value : (short[]) pixels) target.putInt((value & 0xffff) - SIGNED_ZERO)
        } else {
            short[] values = (short[]) pixels
            target.asShortBuffer().put(values)
            target.position(target.position() + 2 * values.length)
        }
    }

    /** Make an image of numbers in memory: its type, or float, with the calibration and the selection of the other. */
    static ImagePlus imageLike(ImagePlus image, int nPlanes, ByteBuffer memory, boolean asFloat, String title, String info) {
        ByteBuffer source = memory.order(ByteOrder.nativeOrder())
        ImageStack stack = new ImageStack(image.width, image.height)
        for (int plane = 0; plane < nPlanes; plane++) stack.addSlice(takePlane(image, source, asFloat))
        ImagePlus made = new ImagePlus(title, stack)
        Calibration calibration = image.calibration.copy()
        if (made.type == ImagePlus.GRAY32) calibration.disableDensityCalibration()
        made.calibration = calibration
        if (image.roi != null) made.setRoi((Roi) image.roi.clone())
        if (made.type == image.type && made.type != ImagePlus.COLOR_RGB) {
            made.setLut(image.getProcessor().getLut())
            made.setDisplayRange(image.displayRangeMin, image.displayRangeMax)
        }
        String before = image.infoProperty
        made.setProperty('Info', before == null ? info : info + '\n' + before)
        return made
    }

    private static ImageProcessor takePlane(ImagePlus image, ByteBuffer source, boolean asFloat) {
        int width = image.width, height = image.height, count = width * height
        if (asFloat || image.type == ImagePlus.GRAY32) {
            float[] values = new float[count]
            source.asFloatBuffer().get(values)
            source.position(source.position() + 4 * count)
            return new FloatProcessor(width, height, values)
        }
        if (image.type == ImagePlus.GRAY16) {
            short[] values = new short[count]
            if (image.calibration.isSigned16Bit()) {
                for (int i = 0; i < count; i++) values[i] = (short) (source.getInt() + SIGNED_ZERO)
            } else {
                source.asShortBuffer().get(values)
                source.position(source.position() + 2 * count)
            }
            return new ShortProcessor(width, height, values, null)
        }
        if (image.type == ImagePlus.COLOR_RGB) {
            int[] values = new int[count]
            for (int i = 0; i < count; i++) {
                values[i] = (source.get() & 255) << 16 | (source.get() & 255) << 8 | (source.get() & 255)
            }
            return new ColorProcessor(width, height, values)
        }
        byte[] values = new byte[count]
        source.get(values)
        return new ByteProcessor(width, height, values)
    }
}
