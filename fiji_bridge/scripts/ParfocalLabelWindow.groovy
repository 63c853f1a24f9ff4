import ij.ImagePlus
import ij.gui.GUI
import ij.gui.ImageWindow
import ij.process.ByteProcessor
import java.awt.Dimension
import java.awt.Label
import java.awt.Rectangle
import java.awt.Scrollbar
import java.awt.event.KeyEvent
import java.awt.event.KeyListener
import java.awt.event.WindowAdapter
import java.awt.event.WindowEvent

/** ImageJ's window that shows the images of a session of labelling, and takes keys; for the event queue. */
class ParfocalLabelWindow implements KeyListener {
    /** Java's names of keys that print nothing, as browsers name them. */
    private static final Map NAMES = [8: 'Backspace', 10: 'Enter', 27: 'Escape', 37: 'ArrowLeft', 38: 'ArrowUp', 39: 'ArrowRight', 40: 'ArrowDown']
    private static final Map WAYS = [ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]]
    /** A key that is held down is let go and pressed anew by some systems, at the same time. */
    private static final int REPEAT_MS = 5
    private static final int PAN_PX = 80, NARROWEST_PX = 640, MESSAGE_HEIGHT = 240, MESSAGE_WIDTH = 640
    /** Part of the screen that an image may take. */
    private static final double SHARE_OF_SCREEN = 0.7

    private final front
    private final List heldKeys
    private final String title
    private final ImagePlus image
    private final ImageWindow window
    private final Scrollbar bar = new Scrollbar(Scrollbar.HORIZONTAL)
    private final List<Label> texts = (1..4).collect { new Label() }
    private final Set down = []
    private final Map released = [:]
    private Map seen = [:]
    private boolean closed

    /** Front is told of keys, planes and the end. */
    ParfocalLabelWindow(String title, List heldKeys, front) {
        this.title = title
        this.front = front
        this.heldKeys = heldKeys
        image = new ImagePlus(title, new ByteProcessor(MESSAGE_WIDTH, MESSAGE_HEIGHT))
        image.show()
        window = image.window
        bar.addAdjustmentListener { event -> if (event.value != seen.plane) front.showPlane(event.value) }
        ([bar] + texts).each { part ->
            part.focusable = false
            window.add(part)
        }
        [window, window.canvas].each { part ->
            // ImageJ's own: S would save the image.
            part.keyListeners.each { part.removeKeyListener(it) }
            part.addKeyListener(this)
        }
        def ended = { end() }
        window.addWindowListener(new WindowAdapter() {
            void windowClosed(WindowEvent event) { ended() }
        })
        window.canvas.disablePopupMenu(true)
    }

    /** Show an image, and what there is to say. */
    void show(Map now, byte[] picture) {
        if (closed) return
        Map before = seen
        seen = now
        def shown = picture == null ? message(now.lines as List) : new ByteProcessor(now.width as int, now.height as int, picture)
        image.setProcessor(now.file ?: title, shown)
        image.changes = false
        boolean same = now.number != null && before.number == now.number && before.pixels == now.pixels
        place(shown.width, shown.height, now.pixels || picture == null, same)
        tell()
        window.canvas.requestFocus()
    }

    /** Close it. */
    void close() { if (!closed) window.close() }

    /** Name the key as browsers do and pass it on; of a key that is held only where it goes on meanwhile. */
    void keyPressed(KeyEvent event) {
        int code = event.keyCode
        char character = event.keyChar
        boolean prints = character != KeyEvent.CHAR_UNDEFINED && !Character.isISOControl(character)
        String key = NAMES[code] ?: (prints ? character.toString() : '')
        boolean held = code in down || (released[code] != null && event.when - released[code] <= REPEAT_MS)
        down << code
        event.consume()
        if (!key || event.controlDown || event.metaDown || event.altDown || (held && !(key in heldKeys))) return
        if (key == 'Escape') window.close()
        else if (event.shiftDown && WAYS[key]) pan(WAYS[key] as List)
        else front.press(key)
    }

    /** Note when it was. */
    void keyReleased(KeyEvent event) {
        down.remove(event.keyCode)
        released[event.keyCode] = event.when
    }

    /** Keep it from ImageJ: the press has been passed on. */
    void keyTyped(KeyEvent event) { event.consume() }

    private void tell() {
        boolean stack = seen.n_planes > 1
        if (stack) bar.setValues(seen.plane as int, 1, 0, seen.n_planes as int)
        texts.eachWithIndex { label, line -> label.text = seen.texts[line] }
        bar.visible = stack
        window.pack()
    }

    /** Fit the image into its part of the screen, or show it pixel for pixel, its middle or where it was. */
    private void place(int width, int height, boolean pixels, boolean keep) {
        def canvas = window.canvas, old = canvas.srcRect, screen = GUI.getMaxWindowBounds(window)
        int mostX = screen.width * SHARE_OF_SCREEN as int, mostY = screen.height * SHARE_OF_SCREEN as int
        double scale = pixels ? 1d : Math.min(mostX / (double) width, mostY / (double) height)
        int shownX = Math.min(width, Math.round(mostX / scale) as int), shownY = Math.min(height, Math.round(mostY / scale) as int)
        int x = keep && pixels ? old.x : (width - shownX).intdiv(2), y = keep && pixels ? old.y : (height - shownY).intdiv(2)
        int drawnX = Math.max(1, Math.round(shownX * scale) as int), drawnY = Math.max(1, Math.round(shownY * scale) as int)
        canvas.setSize(drawnX, drawnY)
        canvas.sourceRect = new Rectangle(x, y, shownX, shownY)
        ([bar] + texts).each { it.preferredSize = new Dimension(Math.max(drawnX, NARROWEST_PX), 20) }
        window.pack()
        int left = Math.max(screen.x, Math.min(window.x, screen.x + screen.width - window.width))
        int top = Math.max(screen.y, Math.min(window.y, screen.y + screen.height - window.height))
        window.setLocation(left, top)
        canvas.repaint()
    }

    /** Move the part of the image that is seen. */
    private void pan(List way) {
        def canvas = window.canvas, part = canvas.srcRect
        int step = Math.max(1, Math.round(PAN_PX / canvas.magnification) as int)
        int x = Math.min(Math.max(part.x + way[0] * step, 0), image.width - part.width)
        int y = Math.min(Math.max(part.y + way[1] * step, 0), image.height - part.height)
        canvas.sourceRect = new Rectangle(x, y, part.width as int, part.height as int)
        canvas.repaint()
    }

    private void end() {
        if (closed) return
        closed = true
        front.close()
    }

    /** Lines as a picture, for where there is no image. */
    private static ByteProcessor message(List lines) {
        def drawn = new ByteProcessor(MESSAGE_WIDTH, MESSAGE_HEIGHT)
        drawn.setValue(255)
        lines.eachWithIndex { line, number -> drawn.drawString(line as String, 16, 40 + 24 * number) }
        return drawn
    }
}
