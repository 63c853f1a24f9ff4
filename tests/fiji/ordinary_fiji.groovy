// Plays a Fiji that is started from its icon: SciJava, ImageJ 1, Appose and Groovy, and no Python. It runs the scripts of
// its folder as Fiji does; calls come as lines of JSON on standard input, of the functions below.
import groovy.json.JsonGenerator
import groovy.json.JsonSlurper
import ij.IJ
import ij.WindowManager
import ij.gui.MessageDialog
import ij.gui.MultiLineLabel
import ij.macro.Interpreter
import ij.measure.ResultsTable
import java.awt.Container
import java.awt.EventQueue
import java.awt.Window
import org.codehaus.groovy.jsr223.GroovyScriptEngineFactory
import org.scijava.Context
import org.scijava.module.ModuleService
import org.scijava.object.ObjectService
import org.scijava.plugin.PluginInfo
import org.scijava.plugin.PluginService
import org.scijava.script.AdaptedScriptLanguage
import org.scijava.script.ScriptInfo
import org.scijava.script.ScriptLanguage
import org.scijava.script.ScriptService

/** As in scripting-groovy, which is not on Maven Central. */
class GroovyLanguage extends AdaptedScriptLanguage {
    GroovyLanguage() { super(new GroovyScriptEngineFactory()) }

    String getLanguageName() { 'Groovy' }
}

class Fiji {
    final Context context = new Context()
    final scripts = context.service(ScriptService)
    private started

    Fiji(File folder) {
        context.service(PluginService).addPlugin(PluginInfo.create(GroovyLanguage, ScriptLanguage))
        scripts.addScriptDirectory(new File(folder, 'scripts'))
        if (headless) Interpreter.batchMode = true
        else new ij.ImageJ().exitWhenQuitting(false)
    }

    /** Menu paths of the scripts, in the order of their labels. */
    List menu() { scripts.scripts.collect { it.menuPath.menuString }.sort() }

    /** Items of a script's dialog as the bridge's tests have them. */
    Map inputs(String label) {
        info(label).inputs().collectEntries { item ->
            [item.name, [item.label, item.type.simpleName, item.defaultValue?.toString(), item.minimumValue, item.maximumValue, item.choices?.collect { it.toString() } ?: [], item.persisted, item.description, item.visibility.toString()]]
        }
    }

    private info(String label) { scripts.scripts.find { it.menuPath.leaf.name == label } }

    /** Open the image of a file and put it in front; a piece of Groovy may change it. */
    void open(String path, String change) {
        closeAll()
        def image = IJ.openImage(path)
        if (change) new GroovyShell(new Binding([image: image])).evaluate(change)
        if (headless) Interpreter.addBatchModeImage(image)
        else image.show()
    }

    /** Have another image beside the one in front, which stays there. */
    void beside(String path) {
        def front = WindowManager.currentImage
        Interpreter.removeBatchModeImage(front)
        Interpreter.addBatchModeImage(IJ.openImage(path))
        Interpreter.addBatchModeImage(front)
    }

    void closeAll() {
        if (headless) Interpreter.batchModeImageIDs.each { Interpreter.removeBatchModeImage(WindowManager.getImage(it)) }
        else WindowManager.IDList?.each { WindowManager.getImage(it).with { changes = false; close() } }
    }

    /** Run a script on the image in front; rows that it added to the Results table, what it threw, and how long it took. */
    Map run(String label, Map given) { runInfo(info(label), given) }

    /** The same for a file that is in no menu, as the Script Editor runs it; also the slice that is shown then. */
    Map run_file(String path) {
        runInfo(new ScriptInfo(context, new File(path)), [:]) + [slice: WindowManager.currentImage.currentSlice]
    }

    private Map runInfo(ScriptInfo info, Map given) {
        def module = info.createModule(), said = new StringWriter()
        context.inject(module)
        module.errorWriter = said
        long begun = System.nanoTime()
        context.service(ModuleService).run(module, true, given).get()
        double seconds = (System.nanoTime() - begun) / 1e9d
        return [rows: rows(), thrown: said.toString(), seconds: seconds, image: WindowManager.currentImage?.title]
    }

    /** Whether an Appose of this version would be refused. */
    boolean is_refused(String version) {
        shared().classOf('ParfocalAppose').isOlder(version, '0.9.0')
    }

    /** What the scripts share. */
    def shared() { context.service(ObjectService).getObjects(EventListener).find { it.toString() == 'Parfocal scripts' } }

    /** Run a macro in which `run("LABEL")` runs a script as Fiji has it: by a thread of SciJava, and waits for its end. */
    String run_macro(String code, String label) {
        def listener = { String command ->
            if (command != label.replace('...', '')) return command
            def module = info(label).createModule()
            context.inject(module)
            context.service(ModuleService).run(module, true, [:]).get()
            return null
        } as ij.CommandListener
        ij.Executer.addCommandListener(listener)
        try {
            return IJ.runMacro(code)
        } finally {
            ij.Executer.removeCommandListener(listener)
        }
    }

    /** Seconds of each of several calls. */
    List timed(String label, Map given, int times) { (1..times).collect { run(label, given).seconds } }

    /** Press Escape until a script ends. */
    Map cancelled(String label, Map given) {
        def pressing = Thread.startDaemon { while (!Thread.interrupted()) { IJ.keyDown = 27; try { sleep(5) } catch (e) { return } } }
        try { return run(label, given) } finally { pressing.interrupt(); pressing.join() }
    }

    /** As `open`, with the change made by another thread: a lock is one for others only. */
    void open_in_thread(String path, String change) { Thread.start { open(path, change) }.join() }

    /** Put a virtual stack in front whose planes nobody has made. */
    void open_virtual(int width, int height, int planes) {
        closeAll()
        def stack = new ij.VirtualStack(width, height, null, '/nowhere')
        planes.times { stack.addSlice("${it}.tif") }
        stack.bitDepth = 8
        Interpreter.addBatchModeImage(new ij.ImagePlus('huge', stack))
    }

    /** Start a script in a thread of its own and go on; what it threw is kept for `started_end`. */
    void start(String label, Map given) {
        started = new java.util.concurrent.FutureTask({ run(label, given) })
        Thread.startDaemon { started.run() }
    }

    /** Wait until that script has ended. */
    Map started_end() { started.get(60, java.util.concurrent.TimeUnit.SECONDS) }

    /** Titles of the open images. */
    List titles() { WindowManager.imageTitles.toList() }

    /** Put one of them in front. */
    void front(String title) {
        def image = WindowManager.getImage(title)
        if (headless) {
            Interpreter.removeBatchModeImage(image)
            Interpreter.addBatchModeImage(image)
            WindowManager.setTempCurrentImage(null)
        } else WindowManager.setCurrentWindow(image.window)
    }

    /** Put a virtual stack in front that repeats the pixels of a file, shifted in each plane; only a part is selected. From an index on planes may be lost. */
    void open_large(String path, int side, int planes, int lost = Integer.MAX_VALUE) {
        closeAll()
        def tile = IJ.openImage(path).getProcessor()
        def stack = new ij.VirtualStack(side, side, null, '/nowhere') {
            ij.process.ImageProcessor getProcessor(int index) {
                if (index >= lost) return null
                def plane = new ij.process.ByteProcessor(side, side)
                plane.insert(tile, 10 * index, 20)
                return plane
            }
        }
        planes.times { stack.addSlice("${it}.tif") }
        stack.bitDepth = 8
        def image = new ij.ImagePlus('large', stack)
        image.setRoi(10 * planes, 20, tile.width - 10 * planes, tile.height)
        Interpreter.addBatchModeImage(image)
    }

    /** Whether no command holds the image in front. */
    boolean is_free() { !WindowManager.currentImage.locked }

    /** Save the image in front; what else is known of it. */
    Map save(String path) {
        def image = WindowManager.currentImage, calibration = image.calibration
        IJ.saveAsTiff(image, path)
        def labels = (1..image.stackSize).collect { image.getStack().getSliceLabel(it) }
        return [labels: labels, title: image.title, info: image.infoProperty, unit: calibration.unit, width: calibration.pixelWidth, roi: image.roi?.bounds?.toString(), type: image.type, shown: [image.displayRangeMin, image.displayRangeMax]]
    }

    /** Elements of the overlay of the image in front: name, colour, rectangle, place. */
    List overlay() {
        (WindowManager.currentImage.overlay?.toArray() ?: []).collect { roi ->
            def color = roi.fillColor ?: roi.strokeColor, bounds = roi.floatBounds
            [name: roi.name, rgb: color == null ? null : [color.red, color.green, color.blue], xywh: [bounds.x, bounds.y, bounds.width, bounds.height], width: roi.strokeWidth, position: roi.position]
        }
    }

    /** Titles of the windows that are shown. */
    List windows() { Window.windows.findAll { it.showing && it.hasProperty('title') }*.title }

    /** Start a script and go on; the title and text of the dialog that it ends in, which is closed. */
    List message(String label, Map given) {
        start(label, given)
        def told = close_message()
        started_end()
        return told
    }

    /** Title and text of the dialog that is shown, once it is; it is closed. */
    List close_message() {
        def dialog = null
        for (int i = 0; dialog == null && i < 1200; i++) {
            sleep(50)
            dialog = Window.windows.find { it.showing && it instanceof MessageDialog }
        }
        if (dialog == null) throw new IllegalStateException("no message, windows: ${windows()}")
        def text = dialog.components.collectMany { it instanceof Container ? it.components.toList() : [it] }.find { it instanceof MultiLineLabel }
        def lines = text.lines.toList()
        // One that is closed before it waits to be closed waits for ever.
        sleep(500)
        EventQueue.invokeAndWait { dialog.dispose() }
        return [dialog.title, lines.join(' ')]
    }

    private static boolean isHeadless() { Boolean.getBoolean('java.awt.headless') }

    private static List rows() {
        def table = ResultsTable.resultsTable
        def names = table.headings.findAll { it.trim() && it != 'Label' }
        def texts = names.findAll { it =~ /_(Status|Reason|Warnings)$/ }
        def found = (0..<table.size()).collect { row ->
            [Label: table.getLabel(row)] + names.collectEntries { [it, it in texts ? table.getStringValue(it, row) : table.getValue(it, row).toString()] }
        }
        table.reset()
        return found
    }
}

def fiji = new Fiji(new File(System.getProperty('fiji')))
def windows = new GroovyClassLoader(getClass().classLoader).parseClass(new File(System.getProperty('windows'))).newInstance()
windows.scripts = { fiji.shared() }
def answers = new PrintStream(new FileOutputStream(FileDescriptor.out), true)
System.out = System.err
def write = new JsonGenerator.Options().build()
answers.println('{"result": null}')
System.in.eachLine { line ->
    def (name, arguments) = new JsonSlurper().parseText(line)
    def answer
    try {
        def part = [fiji, windows].find { it.metaClass.respondsTo(it, name) }
        answer = [result: part.invokeMethod(name, arguments as Object[])]
    } catch (Throwable error) {
        def trace = new StringWriter()
        error.printStackTrace(new PrintWriter(trace))
        answer = [error: trace.toString()]
    }
    answers.println(write.toJson(answer))
}
System.exit(0)
