import ij.IJ
import java.awt.EventQueue
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors

/** Labelling: the worker has the session, a window of ImageJ shows its images and has the keys. */
class ParfocalLabels extends ParfocalCommand {
    ParfocalLabels(ParfocalWorker worker) { super(worker) }

    /** Begin; the window goes on by itself. */
    protected void act(Map command, Map arguments, Map options) {
        if (headless()) throw new IllegalStateException("labelling needs ImageJ's window, and this one was started without: use parfocal label")
        def session = new ParfocalSession(worker)
        new Labelling(session, command.label as String, session.ask('label_begin', [arguments: arguments]))
    }

    /** A session with its window, and the thread that asks for images and hands in answers while the window answers. */
    static class Labelling {
        private final ParfocalSession session
        private final String label
        private final ExecutorService hand = Executors.newSingleThreadExecutor { work -> new Thread(work, 'Parfocal labelling').tap { daemon = true } }
        private ParfocalLabelWindow window
        /** Keys count only for an image that is seen: while the next one is on its way they are dropped. */
        private volatile boolean busy = true

        Labelling(ParfocalSession session, String label, Map seen) {
            this.session = session
            this.label = label
            if (seen.number == null) {
                IJ.showMessage(label, finish().join('\n'))
                return
            }
            byte[] picture = pictureOf(seen)
            EventQueue.invokeAndWait { window = new ParfocalLabelWindow(label, seen.held_keys as List, this) }
            show(seen, picture)
        }

        /** Do what a key asks for. */
        void press(String key) { begin('label_press', [key: key]) }

        /** Go to a plane of the stack. */
        void showPlane(int plane) { begin('label_plane', [plane: plane]) }

        /** The window has been closed. */
        void close() {
            busy = true
            hand.submit { guarded { finish() } }
            hand.shutdown()
        }

        private void begin(String task, Map inputs) {
            if (busy) return
            busy = true
            hand.submit {
                guarded {
                    Map seen = session.ask(task, inputs)
                    show(seen, pictureOf(seen))
                }
            }
        }

        private void show(Map seen, byte[] picture) {
            EventQueue.invokeLater {
                window.show(seen, picture)
                busy = false
            }
        }

        /** Pixels of what is seen; nothing where there is no picture. */
        private byte[] pictureOf(Map seen) {
            if (!seen.height) return null
            def array = ParfocalAppose.array('uint8', [seen.height as int, seen.width as int])
            try {
                session.ask('label_picture', [picture: array])
                byte[] pixels = new byte[(seen.height as int) * (seen.width as int)]
                array.buffer().get(pixels)
                return pixels
            } finally {
                array.close()
            }
        }

        /** Close the files, and say what came out in ImageJ's log. */
        private List finish() {
            try {
                if (!session.alive) return []
                List lines = session.ask('label_end', [:]).lines as List
                IJ.log("${label}: ${lines[0]}")
                lines.drop(1).each { IJ.log(it as String) }
                return lines
            } finally {
                session.end()
            }
        }

        /** Errors are shown; where the session is lost the window closes, what was answered is in the table. */
        private void guarded(Closure act) {
            try {
                act()
            } catch (Throwable error) {
                busy = false
                if (!session.alive) EventQueue.invokeLater { window?.close() }
                IJ.error(label, error.message ?: error.toString())
            }
        }
    }
}
