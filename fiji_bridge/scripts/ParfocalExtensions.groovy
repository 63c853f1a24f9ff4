import ij.IJ
import ij.ImagePlus
import ij.Macro
import ij.macro.ExtensionDescriptor
import ij.macro.Functions
import ij.macro.Interpreter
import ij.macro.MacroExtension

/** Functions for the macro that runs, which give the numbers of the image in front. */
class ParfocalExtensions extends ParfocalCommand implements MacroExtension {
    private List functions = []

    ParfocalExtensions(ParfocalWorker worker) { super(worker) }

    /** Give them to the macro: each macro has its own. */
    protected void act(Map command, Map arguments, Map options) {
        functions = command.functions as List
        if (Interpreter.instance == null) throw new IllegalStateException('functions are for macros: run this in one')
        Functions.registerExtensions(this)
    }

    /** Name and arguments of each: outputs, and options as text that may be left out. */
    ExtensionDescriptor[] getExtensionFunctions() {
        functions.collect { function ->
            List kinds = function.outputs.collect { ARG_NUMBER + ARG_OUTPUT } + [ARG_STRING + ARG_OPTIONAL]
            new ExtensionDescriptor(function.name as String, kinds as int[], this)
        } as ExtensionDescriptor[]
    }

    /** Measure the image in front, fill in the variables, and return the status. */
    String handleExtension(String name, Object[] arguments) {
        Map function = functions.find { it.name == name } as Map
        try {
            Map outputs = measured(function, (arguments[-1] ?: '') as String)
            function.outputs.eachWithIndex { output, place ->
                double value = outputs.features[output] as String as double
                // What counts from 0 counts from 1, as ImageJ does.
                arguments[place][0] = (output in function.from_zero ? value + 1 : value) as Double
            }
            return outputs.status
        } catch (ParfocalWorker.Cancelled cancelled) {
            Interpreter.abort()
        } catch (Exception error) {
            String label = "Ext.${name}", text = error.message ?: error.toString()
            if (headless()) IJ.log("${label}: ${text}")
            else IJ.error(label, text)
            Interpreter.abort()
        }
        return null
    }

    private Map measured(Map function, String options) {
        Map command = function.command as Map
        ImagePlus image = current()
        List places = command.plane_by_plane ? ParfocalPlaces.planesOf(image, false)[0] : ParfocalPlaces.stacksOf(image, false)[0]
        Map given = argumentsOf(options, command)
        return held(image) { measureStack(command, image, places, selectionOf(image), given, [:]) } as Map
    }

    /** Arguments in options, where parameters go by their names; a switch is on if named, off by `=no`. */
    private static Map argumentsOf(String options, Map command) {
        List names = (options =~ /(?:^|\s)(\w+)(?:=(?:\[[^\]]*\]|\S*))?(?=\s|$)/).collect { it[1] }
        return names.collectEntries { name ->
            if (!(name in command.arguments)) {
                throw new IllegalArgumentException("options must be among ${command.arguments.join(', ')}, got ${name} (text with spaces stands in [ ])")
            }
            String value = Macro.getValue(options + ' ', name as String, '')
            return [name, name in command.switches ? value ?: 'yes' : value]
        }
    }
}
