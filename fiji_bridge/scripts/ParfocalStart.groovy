import groovy.json.JsonSlurper
import ij.IJ
import java.awt.GraphicsEnvironment

/** What is kept while Fiji runs: the worker, and the classes that talk to it. */
class ParfocalStart implements EventListener {
    /** By this, and by a type that Groovy knows without its package, scripts find it. */
    static final String NAME = 'Parfocal scripts'
    private static final List CLASSES = ['ParfocalPixels', 'ParfocalAppose', 'ParfocalWorker', 'ParfocalPlaces', 'ParfocalMemory', 'ParfocalOverlay', 'ParfocalRows', 'ParfocalCommand']

    private final File file
    private long stamp
    private Map manifest
    private Object worker
    private GroovyClassLoader loader
    /** Commands by their class; those with windows of their own are compiled when they are wanted. */
    private final Map fronts = [:]

    private ParfocalStart(File home) { file = new File(home, 'parfocal.json') }

    /** Start with the folder that this file lies in. */
    static ParfocalStart begin(File start, objects) {
        def started = new ParfocalStart(start.parentFile)
        objects.addObject(started)
        return started
    }

    /** Run a command of this name with the variables of its script. */
    void accept(String name, Map variables) {
        Map about
        def front
        try {
            load()
            about = manifest.commands[name]
            front = frontOf(about.front as List)
        } catch (Throwable error) {
            // Fiji itself shows no errors of scripts but in its console.
            if (!GraphicsEnvironment.headless) IJ.error('Parfocal', "The scripts cannot be started: ${error.message ?: error}")
            throw error
        }
        Map arguments = variables.subMap(about.arguments).collectEntries { key, value ->
            [key, value instanceof File ? value.path : value]
        }
        // An untouched default counts less than what the image states.
        arguments.keySet().removeAll { about.yielding.containsKey(it) && about.yielding[it] == arguments[it] }
        front.run(about, arguments, variables.subMap(about.options))
    }

    /** By the last of its classes, which are compiled in their order. */
    private synchronized Object frontOf(List names) {
        fronts[names[-1]] = fronts[names[-1]] ?: names.collect { classOf(it) }[-1].newInstance(worker)
    }

    private Class classOf(String name) { loader.parseClass(new File(file.parentFile, name + '.lib')) }

    /** Load what is installed, unless it is loaded; of an earlier installation the worker ends. */
    private synchronized void load() {
        if (file.lastModified() == stamp && stamp != 0) return
        if (!file.file) throw new IllegalStateException('Parfocal was taken out of this Fiji: start Fiji again')
        worker?.stop()
        manifest = new JsonSlurper().parse(file) as Map
        loader = new GroovyClassLoader(ParfocalStart.classLoader)
        Map classes = CLASSES.collectEntries { [it, classOf(it)] }
        worker = classes.ParfocalWorker.newInstance(file.parentFile, manifest)
        fronts.clear()
        fronts.ParfocalCommand = classes.ParfocalCommand.newInstance(worker)
        stamp = file.lastModified()
    }

    String toString() { NAME }
}
