#@ ModuleService modules
// Measures every slice of the stack in front and goes to the sharpest. For the Script Editor (language Groovy), in a Fiji
// that was started by `parfocal fiji` as in one that got the commands by `parfocal install fiji`.
import ij.IJ
import ij.measure.ResultsTable

def image = IJ.image, table = ResultsTable.resultsTable
def command = modules.modules.find { it.menuPath?.leaf?.name == 'Measure Image Focus...' }
if (command == null) throw new IllegalStateException('Parfocal is not in this Fiji: see docs/fiji.md')

// What is not given is asked for in the command's dialog; without a window it has its default.
def given = [each_plane: true]
if (command.getInput('image') != null) given.image = image // else the command itself takes the image in front
int before = table.size()
modules.run(command, true, given).get()

// The rows have the numbers of slice and time point; that of the whole stack has none.
def sharpest = (before..<table.size()).find { table.getValue('ImageFocus_Sharpest', it) == 1 }
if (sharpest == null) throw new IllegalStateException("no slice of ${image.title} has an answer: see the Results table")
def place = { name -> table.getValue(name, sharpest) as int }
image.setPosition(image.c, place('Slice'), place('Frame'))
IJ.log("${image.title}: the sharpest is slice ${image.z}, level ${String.format('%.1f', table.getValue('ImageFocus_Score', sharpest))}")
