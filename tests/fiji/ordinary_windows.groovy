// What a person sees and does in windows of a Fiji without Python.
import ij.WindowManager
import ij.gui.ImagePanel
import ij.gui.NonBlockingGenericDialog
import java.awt.Container
import java.awt.EventQueue
import java.awt.Robot
import java.awt.TextField
import java.awt.Window
import java.awt.event.AdjustmentEvent
import java.awt.event.KeyEvent
import java.awt.event.MouseEvent

class Windows {
    private static final int PATIENCE_MS = 60000

    static <T> T waitFor(String what, Closure<T> condition) {
        long until = System.currentTimeMillis() + PATIENCE_MS
        while (System.currentTimeMillis() < until) {
            def found = condition()
            if (found) return found
            sleep(50)
        }
        throw new IllegalStateException("${what} not seen, windows: ${Window.windows.findAll { it.showing }}")
    }

    /** Points of the first curve of a plot, and the legend's lines. */
    Map plot(String title) {
        def shown = WindowManager.getWindow(title).plot, points = shown.getDataObjectArrays(0)
        def labels = (0..<shown.plotObjectDesignations.length).collect { shown.getPlotObjectLabel(it) }
        return [x: points[0].toList(), y: points[1].toList(), labels: labels.findAll()]
    }

    /** Rows of the table in a window, as text. */
    List table(String title) { textsOf(WindowManager.getFrame(title).textPanel.resultsTable) }

    private static List textsOf(table) {
        def names = table.headings.findAll { it.trim() && it != 'Label' }
        (0..<table.size()).collect { row -> names.collectEntries { [it, table.getStringValue(it, row)] } }
    }

    /** ROIs of the ROI Manager: name, rectangle and slice; it is closed. */
    List managed_rois() {
        def manager = ij.plugin.frame.RoiManager.rawInstance
        def found = manager.roisAsArray.collect { roi ->
            def bounds = roi.floatBounds
            [name: roi.name, xywh: [bounds.x, bounds.y, bounds.width, bounds.height], slice: roi.position]
        }
        manager.reset()
        manager.close()
        return found
    }

    /** What the window with the slider says, and the frames in the image in front. */
    Map threshold_window() {
        def dialog = thresholdDialog()
        def frames = (WindowManager.currentImage.overlay?.toArray() ?: []).findAll { it.name == 'threshold' }
        return [told: dialog.message.text, colors: frames.collect { colorOf(it.strokeColor) }, places: frames*.position, title: dialog.title]
    }

    /** Move the slider as a mouse does; what the window shows then. */
    Map move_slider(double threshold) {
        def slider = thresholdDialog().sliders[0]
        def moved = new AdjustmentEvent(slider, 601, 5, Math.round(threshold * 100) as int)
        EventQueue.invokeAndWait {
            slider.value = moved.value
            slider.adjustmentListeners.each { it.adjustmentValueChanged(moved) }
        }
        // ImageJ tells of it in a thread of its own.
        def number = thresholdDialog().numericFields[0]
        waitFor("threshold ${threshold}") { (number.text as double) == threshold }
        sleep(300)
        return threshold_window()
    }

    /** Colours of the picture of bars in a row, each once for each run of it. */
    List bars(int row) {
        def picture = all(thresholdDialog()).find { it instanceof ImagePanel }.with { panel ->
            def field = ImagePanel.getDeclaredField('img')
            field.accessible = true
            field.get(panel)
        }
        def colors = (0..<picture.width).collect { colorOf(new java.awt.Color(picture.getProcessor().get(it, row))) }
        return colors.inject([]) { runs, color -> runs && runs[-1] == color ? runs : runs + [color] }
    }

    /** Press the mouse in the picture of bars at a share of its width; the slice that is shown then. */
    int click_bar(double share) {
        def panel = all(thresholdDialog()).find { it instanceof ImagePanel }
        def pressed = new MouseEvent(panel, 501, 0, 0, Math.round(share * panel.width) as int, 5, 1, false)
        EventQueue.invokeAndWait { panel.mouseListeners[0].mousePressed(pressed) }
        return WindowManager.currentImage.currentSlice
    }

    /** Press a key in the window with the slider and wait until it is gone. */
    void end_threshold_window(String key) {
        def dialog = thresholdDialog()
        all(dialog).find { it instanceof TextField }.requestFocus()
        sleep(300)
        press_key(key)
        waitFor('end of the window') { !dialog.showing }
    }

    /** What the labelling window shows: lines below the image, its pixels' number, and the part of the image that is seen. */
    Map labelling() {
        waitFor('the labelling window') { labellingWindow() && linesOf(labellingWindow()).any() }
        // There, where nothing is half done.
        def state = [:]
        EventQueue.invokeAndWait { state = stateOf(labellingWindow()) }
        return state
    }

    private static Map stateOf(window) {
        if (window == null) return [:]
        def part = window.canvas.srcRect
        return [lines: linesOf(window), part_xywh: [part.@x, part.@y, part.@width, part.@height], magnification: window.canvas.magnification, title: window.imagePlus.title]
    }

    /** Pixels that ImageJ has, saved as text in a file. */
    void labelled_picture(String path) { ij.IJ.saveAsTiff(labellingWindow().imagePlus.duplicate(), path) }

    /** Press a key as a person does, and wait until the window shows something else. */
    Map press_in_labelling(String key) {
        def before = labelling()
        press_key(key)
        waitFor("a change after ${key}") { !labellingWindow() || labelling() != before }
        return labellingWindow() ? labelling() : [:]
    }

    /** Hold a key down; what is shown then. */
    Map hold_in_labelling(String key, int milliseconds) {
        def robot = new Robot(), code = KeyEvent.getField("VK_${key.toUpperCase()}").get(null) as int
        robot.keyPress(code)
        sleep(milliseconds)
        robot.keyRelease(code)
        sleep(1000)
        return labelling()
    }

    /** Move the bar of planes as its arrow does. */
    Map drag_bar(int plane) {
        def bar = labellingWindow().components.find { it instanceof java.awt.Scrollbar }
        def event = new AdjustmentEvent(bar, 601, 5, plane)
        EventQueue.invokeAndWait { bar.adjustmentListeners[0].adjustmentValueChanged(event) }
        waitFor("plane ${plane + 1}") { labelling().lines[0].contains("plane ${plane + 1} of") }
        return labelling()
    }

    /** Close the labelling window by its button. */
    void close_labelling() {
        def window = labellingWindow()
        EventQueue.invokeAndWait { window.dispatchEvent(new java.awt.event.WindowEvent(window, 201)) }
    }

    /** Lines of ImageJ's log once the labelling window is gone and one has a text; the log is emptied. */
    List labelling_ended(String text) {
        waitFor('end of the window') { !labellingWindow() }
        waitFor("log with ${text}") { ij.IJ.log?.contains(text) }
        def lines = ij.IJ.log.split('\n').toList()
        ij.IJ.log('\\Clear')
        return lines
    }

    private static labellingWindow() {
        Window.windows.find { it.showing && it instanceof ij.gui.ImageWindow && linesOf(it).size() == 4 }
    }

    private static List linesOf(window) { window.components.findAll { it instanceof java.awt.Label }*.text }

    void press_key(String key) {
        def robot = new Robot(), codes = key.split(' ').collect { KeyEvent.getField("VK_${it.toUpperCase()}").get(null) as int }
        codes.each { robot.keyPress(it) }
        codes.reverse().each { robot.keyRelease(it) }
        robot.waitForIdle()
    }

    private static thresholdDialog() {
        waitFor('the window with the slider') { Window.windows.find { it.showing && it instanceof NonBlockingGenericDialog } }
    }

    private static List colorOf(color) { [color.red, color.green, color.blue] }

    private static List all(Container container) {
        container.components.collectMany { [it] + (it instanceof Container ? all(it) : []) }
    }

    // Micro-Manager, whose jars are on no public repository of packages: classes with its signatures stand in for them.
    private static loader

    /** Compile the sources of a folder, and let ImageJ find the classes as it finds plugins, unless they are in the class
     *  path, where they are without a window; its core plays a stack. */
    void load_micromanager(String sources, String classes, String stack) {
        if (loader == null) {
            def files = []
            ['mmcorej', 'org'].each { part -> new File(sources, part).eachFileRecurse { if (it.name.endsWith('.java')) files << it.path } }
            def arguments = ['-proc:none', '-d', classes, '-cp', System.getProperty('java.class.path')] + files
            assert javax.tools.ToolProvider.systemJavaCompiler.run(null, null, null, arguments as String[]) == 0
            def onPath = System.getProperty('java.class.path').split(File.pathSeparator).contains(classes)
            loader = onPath ? ij.IJ.class.classLoader : new URLClassLoader([new File(classes).toURI().toURL()] as URL[], ij.IJ.class.classLoader)
            def field = ij.IJ.getDeclaredField('classLoader')
            field.accessible = true
            if (!onPath) field.set(null, loader)
        }
        def image = ij.IJ.openImage(stack)
        def planes = (1..image.stackSize).collect { image.getStack().getPixels(it) } as short[][]
        studioClass().begin(loader.loadClass('mmcorej.CMMCore').newInstance(planes, image.width, image.height, -30d, 1d))
    }

    void end_micromanager() { studioClass().begin(null) }

    private static Class studioClass() { loader.loadClass('org.micromanager.internal.MMStudio') }

    private static core() { studioClass().instance.core() }

    /** Put the focal plane somewhere, move the stage, have pixels come in another type, switch a fault on or off. */
    void arrange(double planeUm, Double startUm, String fault, String pixels, boolean live) {
        core().arrange(planeUm, fault, pixels, live)
        if (startUm != null) core().setPosition('Z', startUm)
    }

    void set_acquiring(boolean on) { studioClass().instance.acquiring = on }

    /** Begin an acquisition that takes single images. */
    void acquire(int timePoints, double intervalS, List slicesUm, String besides) {
        def settings = loader.loadClass('org.micromanager.acquisition.SequenceSettings')
        studioClass().instance.acquire(settings.of(timePoints, 1000 * intervalS, slicesUm as double[], besides))
    }

    void end_acquisition() { studioClass().instance.acquire(null) }

    /** How often the stage was moved while it exposed, once it has taken so many time points. */
    int disturbances_after(int timePoints) {
        waitFor("${timePoints} time points, after ${held()}") { studioClass().instance.acquisitionEngine.acquisitionDatastore.getNextIndex('time') >= timePoints }
        return core().disturbances()
    }

    /** Position, distance from the focal plane, images snapped and moves made so far. */
    Map stage() {
        double z = core().getPosition('Z')
        def counts = core().counts()
        return [z: z, off: z - core().planeUm(), snaps: counts[0], moves: counts[1]]
    }

    /** The same once nothing is looked at or moved for a while. */
    Map settled_stage() {
        def before = [:]
        waitFor('rest') { def last = before; sleep(300); before = stage(); before.snaps == last.snaps && before.moves == last.moves }
        return before
    }

    private static holding() { scripts()?.fronts?.ParfocalHold?.holding }

    /** Gives the object that the scripts share. */
    static Closure scripts

    /** What is seen of the session. */
    Map held() { holding()?.seen ?: [:] }

    /** Wait until the state is this one. */
    Map wait_for_state(String state) {
        waitFor("${state}, after ${held()}") { held().state == state }
        return held()
    }

    /** Wait until the stage is within so many um of the focal plane. */
    Map wait_for_focus(double um) {
        waitFor("focus, after ${held()} ${stage()}") { Math.abs(stage().off) < um }
        return stage()
    }

    /** Wait until nothing goes on any more. */
    Map wait_for_end() {
        waitFor("end, after ${held()}") { !held().begun }
        return held()
    }

    /** What the window shows: texts by name, colours of each chart as in HTML, and which buttons can be pressed. */
    Map hold_window() {
        def frame = waitFor('the window of Hold Focus') { holdFrame() }
        def parts = all(frame.contentPane)
        def texts = parts.findAll { it.name != null && it.respondsTo('getText') }.findAll { !it.name.startsWith('chart ') }.collectEntries { [it.name, it.text] }
        def charts = parts.findAll { it.name?.startsWith('chart ') }.collect { colorsOf(it.icon.image) }
        return [texts: texts, charts: charts, buttons: parts.findAll { it instanceof javax.swing.JButton }.collectEntries { [it.text, it.enabled] }]
    }

    private static List colorsOf(picture) {
        picture.getRGB(0, 0, picture.width, picture.height, null, 0, picture.width).toList().toSet().collect { String.format('#%06x', it & 0xffffff) }
    }

    /** Wait until a chart has these colours. */
    void wait_for_chart(int number, List colors) {
        waitFor("${colors} in chart ${number}") { hold_window().charts[number].containsAll(colors) }
    }

    void press_button(String name) {
        def button = all(holdFrame().contentPane).find { it instanceof javax.swing.JButton && it.text == name }
        EventQueue.invokeAndWait { button.doClick() }
    }

    /** Press Escape in the window. */
    void escape_hold_window() {
        EventQueue.invokeAndWait { holdFrame().toFront(); holdFrame().rootPane.requestFocus() }
        press_key('escape')
    }

    /** Wait until nothing goes on and the window says what begins so. */
    void wait_for_told(String start) {
        waitFor("${start}, after ${held()}") { !held().begun && hold_window().texts.told.startsWith(start) }
    }

    /** Close the window by its button. */
    void close_hold_window() {
        def frame = holdFrame()
        EventQueue.invokeAndWait { frame.dispatchEvent(new java.awt.event.WindowEvent(frame, 201)) }
        waitFor('end of the window') { !holdFrame() }
    }

    private static holdFrame() { Window.windows.find { it.showing && it instanceof javax.swing.JFrame && it.title == 'Hold Focus' } }
}
