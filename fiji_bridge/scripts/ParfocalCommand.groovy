import ij.IJ
import ij.ImagePlus
import ij.WindowManager
import ij.macro.Interpreter
import ij.measure.ResultsTable
import java.awt.GraphicsEnvironment

/** A command of Parfocal in Fiji: the image in front goes to the worker, what comes back goes to Fiji. */
class ParfocalCommand {
    protected final ParfocalWorker worker

    ParfocalCommand(ParfocalWorker worker) { this.worker = worker }

    /** Run a command with what the dialog gave; errors are shown, without a window thrown. */
    void run(Map command, Map arguments, Map options) {
        IJ.resetEscape()
        IJ.showStatus("${command.label}...")
        String end = ''
        try {
            act(command, arguments, options)
        } catch (ParfocalWorker.Cancelled cancelled) {
            end = "${command.label}: cancelled"
            if (IJ.macroRunning()) Interpreter.abort()
        } catch (Exception error) {
            fail(command.label as String, error.message ?: error.toString())
        } finally {
            IJ.showProgress(1.0d)
            IJ.showStatus(end)
        }
    }

    /** What the command does; those with windows of their own do something else. */
    protected void act(Map command, Map arguments, Map options) {
        if (command.category) measure(command, arguments, options)
        else batch(command, arguments)
    }

    private static void fail(String label, String text) {
        if (!headless()) {
            IJ.error(label, text)
            return
        }
        IJ.log("${label}: ${text}")
        throw new IllegalStateException("${label}: ${text}")
    }

    static boolean headless() { GraphicsEnvironment.headless || IJ.instance == null }

    protected Map ask(Map command, Map inputs, Closure supply = null) {
        Closure progress = { done, of ->
            IJ.showProgress(done / (double) of)
            IJ.showStatus("${command.label}: ${done} of ${of}, Escape cancels")
        }
        return worker.ask(command.task as String, inputs, progress, supply)
    }

    protected void batch(Map command, Map arguments) {
        Map outputs = ask(command, [arguments: arguments])
        int images = outputs.counts.values().sum()
        IJ.log("${images} image${images == 1 ? '' : 's'}: " + outputs.counts.collect { status, count -> "${count} ${status}" }.join(', '))
        IJ.log("written to ${arguments.output}: " + outputs.files.collect { new File(it as String).name }.join(', '))
        if (!headless()) {
            def table = ResultsTable.open(outputs.table as String)
            table.show("${new File(outputs.table as String).name} of ${new File(arguments.folder as String).name}")
        }
    }

    protected void measure(Map command, Map arguments, Map options) {
        ImagePlus image = current()
        List answers = held(image) {
            byte[] selection = selectionOf(image)
            boolean each = options.each_plane
            List stacks = command.plane_by_plane ? ParfocalPlaces.planesOf(image, each) : ParfocalPlaces.stacksOf(image, each)
            stacks.collect { places ->
                [places: places, outputs: measureStack(command, image, places, selection, arguments, options)]
            }
        } as List
        ParfocalRows.add(command, image, answers, options.each_plane as boolean)
        if (!headless()) ResultsTable.resultsTable.show('Results')
        answers.each { answer -> answer.outputs.made.each { show(it) } }
        draw(image, answers, options)
    }

    /** The image in front. */
    protected static ImagePlus current() {
        ImagePlus image = WindowManager.currentImage
        if (image == null) throw new IllegalArgumentException('no image is open: open one first')
        return image
    }

    /** Do something with an image that nobody else works on meanwhile. */
    protected static Object held(ImagePlus image, Closure work) {
        if (!image.lockSilently()) {
            throw new IllegalArgumentException("${image.title} is in use by another command: try again when that has ended")
        }
        try {
            if (image.getStack().size() == 0) {
                throw new IllegalArgumentException("${image.title} must have planes, it has none: it was closed or is empty, open it again")
            }
            return work()
        } finally {
            image.unlock()
        }
    }

    /** Draw what was measured. */
    protected void draw(ImagePlus image, List answers, Map options) {
        if (options.overlay) ParfocalOverlay.show(image, answers)
    }

    /** Show an image in a window; in batch mode it is there without one. */
    static void show(ImagePlus image) {
        if (headless() && !Interpreter.batchMode) return
        image.show()
        // Batch mode takes it for the current image of this thread, in which other commands run later.
        WindowManager.setTempCurrentImage(null as ImagePlus)
    }

    /** Pixels of the selection, not 0 inside; nothing where there is none. */
    protected static byte[] selectionOf(ImagePlus image) {
        def roi = image.roi
        if (roi == null) return null
        if (!roi.area) {
            throw new IllegalArgumentException("the selection must have an area, got ${roi.typeAsString}: choose another or none")
        }
        return image.createRoiMask().pixels as byte[]
    }

    protected Map measureStack(Map command, ImagePlus image, List places, byte[] selection, Map arguments, Map options) {
        Map arrays = [:]
        // An image that is closed meanwhile loses its stack.
        def stack = image.getStack(), indices = ParfocalMemory.indicesOf(image, places)
        int atOnce = command.restores ? places.size() : ParfocalMemory.planesAtOnce(image, places.size())
        try {
            arrays.image = ParfocalMemory.handedOver(image, places, atOnce)
            if (selection != null && !command.restores) {
                arrays.selection = ParfocalAppose.array('uint8', [image.height, image.width])
                arrays.selection.buffer().put(selection)
            }
            if (options.mask_yx) arrays.mask = ParfocalMemory.handedOver(ParfocalMemory.ofSize(ParfocalMemory.named(options.mask_yx as String), image), null)
            if (options.labels_yx) arrays.labels = ParfocalMemory.handedOver(ParfocalMemory.named(options.labels_yx as String), null)
            if (arguments.uncertainty == true) arrays.uncertainty = ParfocalAppose.array('float32', ParfocalMemory.shapeOf(image, places.size()))
            Map given = inputsOf(image, arguments, options) + arrays
            if (atOnce < places.size()) given.image = [planes: places.size(), window: arrays.image]
            Closure supply = { int first -> ParfocalPixels.put(image, indices.drop(first).take(atOnce), arrays.image.buffer(), stack) }
            Map outputs = new LinkedHashMap(ask(command, given, supply))
            outputs.made = imagesOf(outputs, image, places.size(), arrays)
            return outputs
        } finally {
            arrays.values()*.close()
        }
    }

    private static Map inputsOf(ImagePlus image, Map arguments, Map options) {
        def calibration = image.calibration
        Map told = calibration.scaled() ? [unit: calibration.unit, pixel_width: calibration.pixelWidth] : null
        if (told != null && image.NSlices > 1) told.plane_distance = calibration.pixelDepth
        return [
            title: image.title, metadata: image.infoProperty ?: '', channel: image.c - 1, calibration: told,
            arguments: arguments,
            each_plane: options.each_plane as boolean, patches: options.overlay as boolean,
            drawings: !headless() && (options.plot || options.rois),
        ]
    }

    /** Images that were restored, which lie in the memory that they were handed over in. */
    private static List imagesOf(Map outputs, ImagePlus image, int nPlanes, Map arrays) {
        String mark = outputs.provenance
        if (!mark) return []
        List made = [ParfocalPixels.imageLike(image, nPlanes, arrays.image.buffer(), false, "Restored ${image.title}", mark)]
        if (arrays.uncertainty) {
            made << ParfocalPixels.imageLike(image, nPlanes, arrays.uncertainty.buffer(), true, "Uncertainty of ${image.title}", mark)
        }
        return made
    }
}
