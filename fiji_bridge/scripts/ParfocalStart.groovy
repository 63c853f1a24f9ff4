import groovy.json.JsonSlurper
import ij.IJ
import java.awt.GraphicsEnvironment
import java.util.function.BiConsumer

/** What is kept while Fiji runs: the worker, and the classes that talk to it. */
class ParfocalStart implements BiConsumer<String, Map> {
    /** By this scripts find it. */
    static final String NAME = 'Parfocal scripts'
    private static final List CLASSES = ['ParfocalPixels', 'ParfocalWorker', 'ParfocalPlaces', 'ParfocalOverlay', 'ParfocalRows', 'ParfocalCommand']

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
        try {
            load()
        } catch (Throwable error) {
            // Fiji itself shows no errors of scripts but in its console.
            if (!GraphicsEnvironment.headless) IJ.error('Parfocal', "The scripts cannot be started: ${error.message ?: error}")
            throw error
        }
        Map about = manifest.commands[name] + [task: name]
        Map arguments = variables.subMap(about.arguments).collectEntries { key, value ->
            [key, value instanceof File ? value.path : value]
        }
        // An untouched default counts less than what the image states.
        arguments.keySet().removeAll { about.yielding.containsKey(it) && about.yielding[it] == arguments[it] }
        frontOf(about.front as String).run(about, arguments, variables.subMap(about.options))
    }

    private synchronized Object frontOf(String name) {
        fronts[name] = fronts[name] ?: classOf(name).newInstance(worker)
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
