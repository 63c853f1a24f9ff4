import ij.IJ
import java.lang.reflect.Array

/** The core of the Micro-Manager in this Fiji: its methods by name, and what they give as it goes over. */
class ParfocalCore {
    private static final String STUDIO = 'org.micromanager.internal.MMStudio', OLD_STUDIO = 'org.micromanager.MMStudio'
    private static final String ELSE = 'or hold focus without Fiji: parfocal hold-focus --config MMConfig.cfg'
    private static final Map PIXELS = [(byte[]): 'uint8', (short[]): 'uint16', (int[]): 'uint32', (float[]): 'float32']

    private final studio, core
    private final ParfocalAcquisition acquisition

    private ParfocalCore(studio, core) {
        this.studio = studio
        this.core = core
        acquisition = new ParfocalAcquisition(studio)
    }

    /** The core of the Studio that runs in this Fiji; an error says where there is none, and what to do. */
    static ParfocalCore find() {
        Class found = classOf(STUDIO)
        if (found == null && classOf(OLD_STUDIO) != null) {
            throw new IllegalStateException("this is Micro-Manager 1: version 2 is needed; install that, ${ELSE}")
        }
        if (found == null) {
            throw new IllegalStateException("Micro-Manager is not in this Fiji: put its folder plugins/Micro-Manager into that of this Fiji and start again, ${ELSE}")
        }
        def studio = found.getInstance()
        if (studio == null) throw new IllegalStateException('Micro-Manager has not been started: Plugins > Micro-Manager Studio, then try again')
        def core = studio.core()
        if (core == null) throw new IllegalStateException('Micro-Manager has no core: it is being closed, or its libraries could not be loaded')
        return new ParfocalCore(studio, core)
    }

    /** As Fiji has it, or ImageJ's own loader, where plugins are. */
    private static Class classOf(String name) {
        // Groovy would take its name for the loader of the class.
        def ofPlugins = IJ.getMethod('getClassLoader').invoke(null)
        for (loader in [ParfocalCore.classLoader, ofPlugins]) {
            try {
                return Class.forName(name, true, loader)
            } catch (ClassNotFoundException | LinkageError error) {
                continue
            }
        }
        return null
    }

    /** The answer of a request: its number, and the value or the error of the method that it names. */
    Map answer(Map request) {
        try {
            return [number: request.number, value: told(call(request.name as String, request.arguments as List))]
        } catch (Throwable error) {
            return [number: request.number, error: error.message ?: error.toString()]
        }
    }

    private Object call(String name, List arguments) {
        switch (name) {
            case 'takesSingleImages': return !core.isSequenceRunning() && studio.acquisitions().isAcquisitionRunning()
            case 'acquisition': return acquisition.state()
            case 'acquiredZ': return acquisition.z(*arguments)
            case 'acquiredPixels': return acquisition.pixels(*arguments)
        }
        return core.invokeMethod(name, arguments.collect { it instanceof BigDecimal ? it.doubleValue() : it } as Object[])
    }

    private static Object told(value) {
        if (value instanceof Double && !Double.isFinite(value)) return value.toString()
        if (value == null || value instanceof Number || value instanceof Boolean || value instanceof Map) return value
        if (PIXELS[value.class]) return pixels(value)
        if (value.class.fields*.name.containsAll(['pix', 'tags'])) {
            return [pix: pixels(value.pix), tags: [ImageNumber: value.tags.get('ImageNumber').toString()]]
        }
        // Vectors of text of older versions are no lists.
        if (value.metaClass.respondsTo(value, 'size') && !(value instanceof CharSequence)) return (0..<(value.size() as int)).collect { value.get(it).toString() }
        return value.toString()
    }

    /** Pixels in shared memory, to be closed when they have gone over. */
    private static Object pixels(values) {
        def array = ParfocalAppose.array(PIXELS[values.class], [Array.getLength(values)])
        def memory = array.buffer().order(java.nio.ByteOrder.nativeOrder())
        switch (values) {
            case byte[]: memory.put(values); break
            case short[]: memory.asShortBuffer().put(values); break
            case int[]: memory.asIntBuffer().put(values); break
            default: memory.asFloatBuffer().put(values)
        }
        return array
    }

    /** Free the memory of an answer that has gone over. */
    static void close(Map answer) {
        def value = answer.value
        [value, value instanceof Map ? value.pix : null].each { if (it instanceof AutoCloseable) it.close() }
    }
}
