/** A worker that keeps something for a window between its tasks. Where it ends, that is lost, and said. */
class ParfocalSession {
    private final ParfocalWorker worker
    private final String label

    ParfocalSession(ParfocalWorker worker, String label) {
        this.worker = worker.another()
        this.label = label
    }

    /** Outputs of a task; the first begins it. */
    synchronized Map ask(String task, Map inputs) {
        if (worker.keeping && !worker.isAlive()) throw new IllegalStateException("Parfocal's worker has ended: run ${label} again to go on")
        Map outputs
        try {
            outputs = worker.ask(task, inputs) { done, of -> }
        } catch (Throwable error) {
            if (!worker.keeping) worker.stop()
            throw error
        }
        worker.keeping = true
        return outputs
    }

    /** Whether what the worker keeps is still there. */
    boolean isAlive() { worker.isAlive() }

    /** End the worker. */
    void end() { worker.stop() }
}
