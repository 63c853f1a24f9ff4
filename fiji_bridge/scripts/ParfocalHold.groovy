import ij.IJ

/** Focus held through the Micro-Manager in this Fiji: the controller is in a worker, the microscope here. */
class ParfocalHold extends ParfocalCommand {
    private static final int START_MS = 600_000, END_MS = 60_000

    private ParfocalHolding holding

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
            if (holding == null || !holding.alive) holding = ParfocalHolding.begin(worker, ParfocalCore.find(), command.label as String, given)
        }
        if (!headless()) holding.show()
        if (!lock) {
            holding.settings(given)
            return
        }
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
}
