import ij.IJ
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit

/** Parfocal's Python, started once and kept: what goes over is said in parfocal.worker.protocol. */
class ParfocalWorker {
    static final int PROTOCOL = 1
    private static final int POLL_MS = 50
    private static final int LAST_MS = 1000
    private static final int GRACE_MS = 5000
    private static final int LINES_TOLD = 6

    /** What ends a task that the user does not want any more. */
    static class Cancelled extends RuntimeException {
        Cancelled() { super('cancelled') }
    }

    /** A worker that had ended before it heard of the task, which is lost then: Java learns of its end a little later. */
    static class Unheard extends IllegalStateException {
        Unheard(String told) { super(told) }
    }

    private final File home
    private final String python
    private final long patienceMs
    private final Map settings
    private Object service
    /** Whether it keeps something for a window: it is not started again then, and Escape is the window's. */
    boolean keeping

    /** Nothing is started yet. Home is the folder that `parfocal install fiji` wrote, settings what it left there. */
    ParfocalWorker(File home, Map settings) {
        this.home = home
        this.settings = settings
        python = settings.python
        patienceMs = (settings.patience_s as double) * 1000 as long
    }

    /**
     * Outputs of a task; the worker is started where there is none, or the last one has ended. Progress gets (done, of);
     * of a stack that goes over in parts, supply lays those planes into its window that begin at the index it gets.
     */
    synchronized Map ask(String task, Map inputs, Closure progress, Closure supply = null) {
        if (!isAlive() && keeping) throw new IllegalStateException("Parfocal's worker has ended: run the command again to go on")
        if (!isAlive()) start()
        Map given = [protocol: PROTOCOL] + inputs
        try {
            return finish(task, given, progress, supply)
        } catch (Unheard error) {
            if (keeping) throw error
            start()
            return finish(task, given, progress, supply)
        }
    }

    /** Another one, for a window that keeps something there: it neither waits for the commands nor ends with them. */
    ParfocalWorker another() { new ParfocalWorker(home, settings) }

    boolean isAlive() { service != null && service.isAlive() }

    /** End the worker, with what it is doing; the next task starts it again. */
    synchronized void stop() {
        if (isAlive()) service.kill()
        service = null
    }

    private void start() {
        ParfocalAppose.check()
        service = ParfocalAppose.classOf('Service').newInstance(home, [python, '-m', 'parfocal.worker'] as String[])
        // Threads that watch the worker must not keep Fiji from ending: they are such as the one that makes them.
        Throwable failure = null
        Thread.startDaemon('Parfocal worker') {
            try { service.start() } catch (Throwable error) { failure = error }
        }.join()
        if (failure != null) {
            service = null
            throw new IllegalStateException("Parfocal's Python could not be started (${failure.message}): run again, with the Python that has Parfocal: parfocal install fiji FOLDER")
        }
        try {
            finish('hello', [protocol: PROTOCOL], { done, of -> })
        } catch (Cancelled error) {
            throw error
        } catch (Exception error) {
            stop()
            throw new IllegalStateException("Parfocal's worker did not start in ${python}: ${error.message}", error)
        }
    }

    private Map finish(String name, Map inputs, Closure progress, Closure supply = null) {
        def events = new LinkedBlockingQueue()
        def task = service.task(name, inputs)
        task.listen { event -> events.put(event) }
        task.start()
        long heard = System.currentTimeMillis(), cancelledAt = 0, deadAt = 0
        boolean begun = false
        try {
            while (true) {
                def event = events.poll(POLL_MS, TimeUnit.MILLISECONDS)
                long now = System.currentTimeMillis()
                if (event != null) {
                    heard = now
                    begun = begun || event.responseType.name() == 'LAUNCH'
                    if (event.info?.planes_from != null) {
                        handOver(task, event.info.planes_from as int, supply)
                        continue
                    }
                    def outputs = outputsOf(event, task, begun, progress)
                    if (outputs != null) return outputs
                } else if (!service.isAlive()) {
                    // Its last answer may still be on the way.
                    deadAt = deadAt ?: now
                    if (now - deadAt > LAST_MS) throw gone(begun)
                }
                if (!keeping && cancelledAt == 0 && IJ.escapePressed()) {
                    task.cancel()
                    cancelledAt = now
                }
                if (cancelledAt > 0 && now - cancelledAt > GRACE_MS) {
                    stop()
                    throw new Cancelled()
                }
                if (now - heard > patienceMs) {
                    String told = lastWords()
                    stop()
                    throw new IllegalStateException("Parfocal's worker has not been heard of for ${Math.round(patienceMs / 1000d)} s and was ended; the next call starts it again${told}")
                }
            }
        } catch (InterruptedException interrupted) {
            task.cancel()
            throw new Cancelled()
        }
    }

    private void handOver(task, int first, Closure supply) {
        try {
            supply(first)
        } catch (Throwable error) {
            task.cancel()
            throw error
        }
        service.task('planes', [protocol: PROTOCOL, of: task.uuid, first: first]).start()
    }

    /** Outputs where an event says that the task is done, nothing where it goes on; an error where it failed. */
    private Map outputsOf(event, task, boolean begun, Closure progress) {
        switch (event.responseType.name()) {
            case 'UPDATE': progress(event.current, event.maximum); return null
            case 'COMPLETION': return task.outputs
            case 'CANCELATION': throw new Cancelled()
            case 'FAILURE':
                if (event.info?.trace) IJ.log(event.info.trace as String)
                throw new IllegalArgumentException(task.error as String)
            case 'CRASH': throw gone(begun)
            default: return null
        }
    }

    private RuntimeException gone(boolean begun) {
        String told = lastWords()
        stop()
        if (!begun) return new Unheard("Parfocal's worker has ended before it began${told}")
        return new IllegalStateException("Parfocal's worker has ended while it was at work; the next call starts it again${told}")
    }

    /** What the worker wrote last that was no answer. */
    private String lastWords() {
        List lines = []
        [service.invalidLines(), service.errorLines()].each { said ->
            List known = new ArrayList(said)
            lines.addAll(known.subList(Math.max(0, known.size() - LINES_TOLD), known.size()))
        }
        return lines ? '. It said: ' + lines.join(' / ') : ''
    }
}
