import ij.ImagePlus
import ij.gui.OvalRoi
import ij.gui.Plot
import ij.gui.Roi
import ij.measure.ResultsTable
import ij.plugin.frame.RoiManager

/** Beads in Fiji: profiles as plots, beads as ROIs and as a table. */
class ParfocalBeads extends ParfocalCommand {
    private static final String REFP = '#b2182b', CURVE = '#2166ac'

    ParfocalBeads(ParfocalWorker worker) { super(worker) }

    /** Without a window there is no ROI Manager, and nothing to draw. */
    protected void draw(ImagePlus image, List answers, Map options) {
        if (headless()) return
        answers.each { answer ->
            if (options.rois) addRois(image, answer.places as List, answer.outputs.circles as List)
            if (options.plot) {
                answer.outputs.profiles.each { plot(it as Map, image.title).show() }
                table(answer.outputs.table as Map).show("Beads of ${image.title}")
            }
        }
    }

    private static void addRois(ImagePlus image, List places, List circles) {
        def manager = RoiManager.roiManager
        circles.each { manager.addRoi(circle(image, places[it.plane_index as int], it as Map)) }
    }

    private static Roi circle(ImagePlus image, place, Map bead) {
        double size = bead.diameter_px as double
        // A pixel of ImageJ begins at a whole number, one of core has its middle there.
        Roi roi = new OvalRoi((bead.x_px as double) + 0.5d - size / 2d, (bead.y_px as double) + 0.5d - size / 2d, size, size)
        roi.name = bead.name
        if (image.hyperStack) roi.setPosition(place.channel, place.slice, place.frame)
        else roi.setPosition(image.getStackIndex(place.channel, place.slice, place.frame))
        return roi
    }

    private static Plot plot(Map profile, String title) {
        Plot plot = new Plot("${profile.name} of beads, ${title}", 'z (um)', profile.name as String)
        double[] limits = numbers(profile.limits)
        plot.setLimits(limits[0], limits[1], limits[2], limits[3])
        plot.setColor(CURVE)
        plot.add('circle', numbers(profile.z_um), numbers(profile.median))
        if (profile.smooth_z_um) plot.add('line', numbers(profile.smooth_z_um), numbers(profile.smooth))
        double z = number(profile.reference_um)
        if (Double.isFinite(z)) {
            plot.setColor(REFP)
            plot.add('line', [z, z] as double[], [limits[2], limits[3]] as double[])
        }
        plot.setColor('black')
        plot.addLegend(profile.legend.join('\n'))
        return plot
    }

    private static ResultsTable table(Map told) {
        def table = new ResultsTable()
        table.setNaNEmptyCells(true)
        told.rows.each { row ->
            table.incrementCounter()
            row.eachWithIndex { value, column ->
                String name = told.columns[column]
                if (told.numeric[column]) table.addValue(name, number(value))
                else table.addValue(name, value as String)
            }
        }
        return table
    }

    /** What is not finite comes as text. */
    private static double number(value) { value as String as double }

    private static double[] numbers(List values) { values.collect { number(it) } as double[] }
}
