// Plays a Fiji that is started from its icon: SciJava, ImageJ 1, Appose and Groovy, and no Python. It runs the scripts of
// its folder as Fiji does; calls come as lines of JSON on standard input, of the functions below.
import groovy.json.JsonGenerator
import groovy.json.JsonSlurper
import ij.IJ
import ij.ImagePlus
import ij.WindowManager
import ij.macro.Interpreter
import ij.measure.ResultsTable
import org.codehaus.groovy.jsr223.GroovyScriptEngineFactory
import org.scijava.Context
import org.scijava.module.ModuleService
import org.scijava.object.ObjectService
import org.scijava.plugin.PluginInfo
import org.scijava.plugin.PluginService
import org.scijava.script.AdaptedScriptLanguage
import org.scijava.script.ScriptLanguage
import org.scijava.script.ScriptService

/** As in scripting-groovy, which is not on Maven Central. */
class GroovyLanguage extends AdaptedScriptLanguage {
    GroovyLanguage() { super(new GroovyScriptEngineFactory()) }

    String getLanguageName() { 'Groovy' }
}

class Fiji {
    final Context context = new Context()
    final scripts = context.service(ScriptService)

    Fiji(File folder) {
        context.service(PluginService).addPlugin(PluginInfo.create(GroovyLanguage, ScriptLanguage))
        scripts.addScriptDirectory(new File(folder, 'scripts'))
        if (!Boolean.getBoolean('java.awt.headless')) new ij.ImageJ().exitWhenQuitting(false)
    }

    /** Menu paths of the scripts, in the order of their labels. */
    List menu() { scripts.scripts.collect { it.menuPath.menuString }.sort() }

    /** Items of a script's dialog as the bridge's tests have them. */
    Map inputs(String label) {
        info(label).inputs().collectEntries { item ->
            [item.name, [item.label, item.type.simpleName, item.defaultValue?.toString(), item.minimumValue, item.maximumValue, item.choices?.collect { it.toString() } ?: [], item.persisted, item.description]]
        }
    }

    private info(String label) { scripts.scripts.find { it.menuPath.leaf.name == label } }

    /** Run a script on the image of a file; rows that it added to the Results table, images that it showed, and what it threw. */
    Map run(String label, String path, Map given, String before) {
        if (path) setImage(IJ.openImage(path), before)
        runOnCurrent(label, given)
    }

    Map runOnCurrent(String label, Map given) {
        def module = info(label).createModule(), said = new StringWriter()
        context.inject(module)
        module.errorWriter = said
        long begun = System.nanoTime()
        context.service(ModuleService).run(module, true, given.collectEntries { name, value -> [name, value] }).get()
        return [rows: rows(), thrown: said.toString(), seconds: (System.nanoTime() - begun) / 1e9]
    }

    /** Run a script again and again; seconds of each call. */
    List timed(String label, Map given, int times) { (1..times).collect { runOnCurrent(label, given).seconds } }

    private static void setImage(ImagePlus image, String before) {
        if (Interpreter.lastBatchModeImage != null) Interpreter.removeBatchModeImage(Interpreter.lastBatchModeImage)
        Interpreter.batchMode = true
        Interpreter.addBatchModeImage(image)
        if (before) new GroovyShell(new Binding([image: image])).evaluate(before)
    }

    private static List rows() {
        def table = ResultsTable.resultsTable
        def names = table.headings.findAll { it.trim() && it != 'Label' }
        def found = (0..<table.size()).collect { row ->
            [Label: table.getLabel(row)] + names.collectEntries { [it, table.getStringValue(it, row)] }
        }
        table.reset()
        return found
    }

    /** Exact numbers of the last row are not in the text of a table. */
    List values(String label, String path, Map given, List columns) {
        setImage(IJ.openImage(path), null)
        def module = info(label).createModule()
        context.inject(module)
        context.service(ModuleService).run(module, true, given).get()
        def table = ResultsTable.resultsTable
        def found = columns.collect { table.getValue(it as String, table.size() - 1).toString() }
        table.reset()
        return found
    }
}

def fiji = new Fiji(new File(System.getProperty('fiji')))
def answers = new PrintStream(new FileOutputStream(FileDescriptor.out), true)
System.out = System.err
def write = new JsonGenerator.Options().build()
answers.println('{"result": null}')
System.in.eachLine { line ->
    def (name, arguments) = new JsonSlurper().parseText(line)
    def answer
    try {
        answer = [result: fiji.invokeMethod(name, arguments as Object[])]
    } catch (Throwable error) {
        def trace = new StringWriter()
        error.printStackTrace(new PrintWriter(trace))
        answer = [error: trace.toString()]
    }
    answers.println(write.toJson(answer))
}
System.exit(0)
