import ij.ImagePlus
import ij.measure.ResultsTable

/** Rows of the Results table, their columns named as in CellProfiler. */
class ParfocalRows {
    private static final List TOLD = ['status', 'reason', 'warnings']

    /** Add a row for what was measured together and for its objects, with `each` one for each of its planes too. */
    static void add(Map command, ImagePlus image, List answers, boolean each) {
        String category = command.category
        def table = ResultsTable.resultsTable
        // What a row does not have would else be 0.
        table.setNaNEmptyCells(true)
        answers.each { answer ->
            String label = ParfocalPlaces.labelOf(image, answer.places)
            addRow(table, category, label, answer.outputs, each && command.plane_by_plane ? answer.places[0] : null)
            answer.outputs.objects.each { number, outputs ->
                addRow(table, category, "${label}:object ${number}", outputs, null, number as int)
            }
            if (each && answer.places.size() > 1) {
                answer.outputs.planes.eachWithIndex { plane, index ->
                    def place = answer.places[index]
                    addRow(table, category, ParfocalPlaces.labelOf(image, [place]), plane, place)
                }
            }
        }
    }

    private static void addRow(ResultsTable table, String category, String label, Map outputs, place, Integer object = null) {
        table.incrementCounter()
        table.addLabel(label)
        if (place != null) {
            table.addValue('Slice', place.slice as double)
            table.addValue('Frame', place.frame as double)
        }
        if (object != null) table.addValue('Object', object as double)
        // What is not finite comes as text.
        outputs.features.each { name, value -> table.addValue("${category}_${name}".toString(), value as String as double) }
        TOLD.each { name -> table.addValue("${category}_${name.capitalize()}".toString(), outputs[name] as String) }
    }
}
