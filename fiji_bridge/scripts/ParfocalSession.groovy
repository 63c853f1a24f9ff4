/** A worker that keeps something for a window between its tasks. Where it ends, that is lost, and said. */
class ParfocalSession {
    private final ParfocalWorker worker

    ParfocalSession(ParfocalWorker worker) { this.worker = worker.another() }

    /** Outputs of a task; the first begins it. */
    synchronized Map ask(String task, Map inputs) {
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
