import ij.IJ
import java.awt.EventQueue
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit

/** The worker that holds, and the threads that do what it asks of the microscope. */
class ParfocalHolding {
    private static final int IDLE_MS = 200, BUSY_MS = 50, LEAVE_MS = 10_000

    private final ParfocalSession session
    private final ParfocalCore core
    private final String label
    /** What the charts and the fields of the window are like. */
    private final Map shown
    private final Queue commands = new ConcurrentLinkedQueue()
    private final LinkedBlockingQueue answers = new LinkedBlockingQueue()
    /** One for each thread of the worker that calls: a camera that hangs does not keep the stage from being moved. */
    private final Map<String, ExecutorService> hands = [:]
    private ParfocalHoldWindow window
    private volatile Map seen
    private volatile boolean leaving

    private ParfocalHolding(ParfocalSession session, ParfocalCore core, String label, Map begun) {
        this.session = session
        this.core = core
        this.label = label
        shown = begun.findAll { it.key != 'seen' }
        seen = begun.seen as Map
    }

    /** Start a worker for it; nothing is moved. */
    static ParfocalHolding begin(ParfocalWorker worker, ParfocalCore core, String label, Map given) {
        def session = new ParfocalSession(worker)
        def holding = new ParfocalHolding(session, core, label, session.ask('hold_begin', [arguments: given]))
        Thread.startDaemon('Parfocal focus') { holding.goOn() }
        return holding
    }

    boolean isAlive() { !leaving && session.alive }

    Map getSeen() { seen }

    Map getShown() { shown }

    /** Hold focus by these arguments, or go on. */
    void lock(Map given) { add([name: 'lock', arguments: given]) }

    /** Learn for these, with what the fields of the window say. */
    void calibrate(Map given) { add([name: 'calibrate', arguments: given]) }

    /** Hold by these arguments when that is begun. */
    void settings(Map given) { add([name: 'settings', arguments: given]) }

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
        if (told.model != seen.model) IJ.log("${label}: the model that was calibrated is in ${told.model}")
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
