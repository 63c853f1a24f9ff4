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
}
