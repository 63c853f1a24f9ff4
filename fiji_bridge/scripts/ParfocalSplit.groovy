import ij.IJ
import ij.ImagePlus
import ij.ImageStack
import ij.gui.Roi

/** The planes of a stack in two stacks, by a threshold. */
class ParfocalSplit extends ParfocalCommand {
    ParfocalSplit(ParfocalWorker worker) { super(worker) }

    /** Sort all slices and time points of the channel that is shown once; in a window the threshold is then chosen. */
    protected void act(Map command, Map arguments, Map options) {
        ImagePlus image = current()
        List places = ParfocalPlaces.stacksOf(image, true).flatten()
        Map outputs = held(image) { measureStack(command, image, places, selectionOf(image), arguments, [each_plane: true]) } as Map
        if (outputs.warnings) IJ.log("${command.label}, ${image.title}: ${outputs.warnings}")
        if (outputs.status == 'already_restored') {
            throw new IllegalArgumentException("${image.title} was restored by Parfocal, and is not sorted: split the original image")
        }
        List probabilities = outputs.planes.collect { it.features.Probability as String as double }
        if (probabilities.every { Double.isNaN(it) }) throw new IllegalArgumentException("${image.title}: ${outputs.reason}")
        Double threshold = outputs.features.Threshold as String as Double
        if (!arguments.threshold && !headless() && !IJ.macroRunning()) {
            threshold = new ParfocalThreshold(image, places, probabilities, threshold).choose()
        }
        if (threshold != null) split(image, places, probabilities, threshold)
    }

    private void split(ImagePlus image, List places, List probabilities, double threshold) {
        List kinds = ParfocalThreshold.kindsOf(probabilities, threshold)
        String title = image.title
        List parts = held(image) {
            [ParfocalThreshold.SHARP, ParfocalThreshold.DEFOCUSED].findAll { it in kinds }.collect { kind ->
                partOf(image, places[kinds.findIndexValues { it == kind }] as List, "${kind.capitalize()} of ${title}")
            }
        } as List
        IJ.log("${title}, threshold ${shortest(threshold)}: ${ParfocalThreshold.countsOf(kinds)}")
        parts.each { show(it as ImagePlus) }
    }

    private static String shortest(double threshold) {
        new BigDecimal(threshold).round(new java.math.MathContext(6)).stripTrailingZeros().toPlainString()
    }

    /** Some planes as a stack of their own; calibration, labels, look-up table and selection are kept. */
    static ImagePlus partOf(ImagePlus image, List places, String title) {
        ImageStack source = image.getStack(), stack = new ImageStack(image.width, image.height)
        places.each { place ->
            int index = image.getStackIndex(place.channel, place.slice, place.frame)
            stack.addSlice(source.getSliceLabel(index) ?: ParfocalPlaces.labelOf(image, [place]), source.getProcessor(index).duplicate())
        }
        ImagePlus made = new ImagePlus(title, stack)
        // A single plane has no label of its own.
        if (places.size() == 1) made.setProp('Slice_Label', stack.getSliceLabel(1))
        made.calibration = image.calibration
        if (image.roi != null) made.setRoi(image.roi.clone() as Roi)
        if (image.type != ImagePlus.COLOR_RGB) {
            made.setLut(image.getProcessor().getLut())
            made.setDisplayRange(image.displayRangeMin, image.displayRangeMax)
        }
        if (image.infoProperty != null) made.setProperty('Info', image.infoProperty)
        return made
    }
}
