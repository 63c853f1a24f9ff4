import ij.IJ
import java.awt.EventQueue
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit

/** Focus held through the Micro-Manager in this Fiji: the controller is in a worker, the microscope here. */
class ParfocalHold extends ParfocalCommand {
    private static final int START_MS = 600_000, END_MS = 60_000

    private Holding holding

    ParfocalHold(ParfocalWorker worker) { super(worker) }

    /** Do what the action says. */
    protected void act(Map command, Map arguments, Map options) {
        Map given = new LinkedHashMap(arguments)
        String action = given.remove('action') ?: 'start'
        if (action == 'pause') holding?.command('pause')
        else if (action == 'stop') stop()
        else if (action == 'show' && headless()) throw new IllegalStateException("the window of Hold Focus needs ImageJ's, and this one was started without: use action=start")
        else begin(command, given, action == 'start')
    }

    /** Hold, and return when it has begun: after the sweep, if there is one. */
    private void begin(Map command, Map given, boolean lock) {
        synchronized (this) {
            if (holding == null || !holding.alive) holding = Holding.begin(worker, ParfocalCore.find(), command.label as String, given)
        }
        if (!headless()) holding.show()
        if (!lock) return
        holding.lock(given)
        holding.waitUntil(START_MS) { it.held || it.error || !it.begun || IJ.escapePressed() }
        Map seen = holding.seen
        if (seen.held) return
        if (seen.begun) holding.command('stop')
        if (headless()) holding.end()
        // A sweep that was stopped went back to where it began.
        if (!seen.error) throw new ParfocalWorker.Cancelled()
        throw new IllegalStateException(seen.error as String)
    }

    /** End, wait for the end, and say in ImageJ's log how it went. */
    private void stop() {
        if (holding == null || !holding.alive) return
        holding.command('stop')
        boolean ended = holding.waitUntil(END_MS) { !it.begun }
        String summary = holding.seen.summary
        if (headless()) holding.end()
        if (!ended) throw new IllegalStateException("the microscope has not answered for ${END_MS.intdiv(1000)} s: nothing is moved when it does")
        if (summary) IJ.log("Hold Focus: ${summary}")
    }

    /** The worker that holds, and the threads that do what it asks of the microscope. */
    static class Holding {
        private static final int IDLE_MS = 200, BUSY_MS = 50, LEAVE_MS = 10_000

        private final ParfocalSession session
        private final ParfocalCore core
        private final String label
        private final Queue commands = new ConcurrentLinkedQueue()
        private final LinkedBlockingQueue answers = new LinkedBlockingQueue()
        /** One for each thread of the worker that calls: a camera that hangs does not keep the stage from being moved. */
        private final Map<String, ExecutorService> hands = [:]
        private ParfocalHoldWindow window
        private volatile Map seen
        private volatile boolean leaving

        private Holding(ParfocalSession session, ParfocalCore core, String label, Map seen) {
            this.session = session
            this.core = core
            this.label = label
            this.seen = seen
        }

        /** Start a worker for it; nothing is moved. */
        static Holding begin(ParfocalWorker worker, ParfocalCore core, String label, Map given) {
            def session = new ParfocalSession(worker)
            def holding = new Holding(session, core, label, session.ask('hold_begin', [arguments: given]).seen as Map)
            Thread.startDaemon('Parfocal focus') { holding.goOn() }
            return holding
        }

        boolean isAlive() { !leaving && session.alive }

        Map getSeen() { seen }

        /** Hold focus by these arguments, or go on. */
        void lock(Map given) { add([name: 'lock', arguments: given]) }

        /** Do what a button says. */
        void command(String name) { add([name: name]) }

        private void add(Map command) {
            // What is waited for next is not what was seen before.
            if (command.name == 'lock') seen = seen + [held: false, begun: true, error: '']
            commands << command
        }

        /** Open the window, or bring it to the front. */
        void show() {
            EventQueue.invokeAndWait {
                if (window == null || window.closed) window = new ParfocalHoldWindow(label, this)
                window.open()
                window.tell(seen)
            }
        }

        /** Wait until what is seen is so; whether it came to that. */
        boolean waitUntil(int milliseconds, Closure wanted) {
            long until = System.currentTimeMillis() + milliseconds
            while (!wanted(seen)) {
                if (System.currentTimeMillis() > until) return false
                sleep(20)
            }
            return true
        }

        /** The window has been closed, or nobody needs it any more: what goes on stops, the stage stays where it is. */
        void end() {
            if (leaving) return
            command('stop')
            leaving = true
            Thread.startDaemon('Parfocal focus ends') {
                waitUntil(LEAVE_MS) { !it.begun }
                session.end()
                hands.values()*.shutdownNow()
            }
        }

        /** Fetch what the worker asks for, have it done, and hand in the answers, until the worker ends. */
        private void goOn() {
            int asked = 0
            try {
                while (true) {
                    Map given = [answers: taken(asked), commands: takenCommands(), wait_s: 0d]
                    asked -= given.answers.size()
                    if (asked == 0 && !given.answers) given.wait_s = IDLE_MS / 1000d
                    Map told
                    try {
                        told = session.ask('hold_next', given)
                    } finally {
                        given.answers.each { ParfocalCore.close(it as Map) }
                    }
                    told.requests.each { request -> doing(request as Map) }
                    asked += told.requests.size()
                    if (told.seen != null) tell(told.seen as Map)
                }
            } catch (Throwable error) {
                if (leaving) seen = seen + [begun: false, held: false]
                else lost(error)
            }
        }

        private List taken(int asked) {
            List found = []
            if (asked > 0) {
                def first = answers.poll(BUSY_MS, TimeUnit.MILLISECONDS)
                if (first != null) found << first
                answers.drainTo(found)
            }
            return found
        }

        private List takenCommands() {
            List found = []
            while (commands.peek() != null) found << commands.poll()
            return found
        }

        private void doing(Map request) {
            String thread = request.thread
            if (!hands.containsKey(thread)) {
                hands[thread] = Executors.newSingleThreadExecutor { work -> new Thread(work, thread).tap { daemon = true } }
            }
            hands[thread].execute { answers.put(core.answer(request)) }
        }

        private void tell(Map told) {
            seen = told
            EventQueue.invokeLater { window?.tell(told) }
        }

        /** The worker has ended: nothing is moved any more. */
        private void lost(Throwable error) {
            String text = "${error.message ?: error}; the focus device stays where it is"
            session.end()
            tell(seen + [state: 'stopped', begun: false, held: false, over: true, error: text, told: text])
            IJ.log("${label}: ${text}")
        }
    }
}
