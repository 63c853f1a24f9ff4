// Measures how far every image of a folder is out of focus, saves the table, and names those to look at.
// Plugins > Macros > Run... asks for both; without a window: runMacro("measure_folder.ijm", "FOLDER;TABLE.csv").
worst = 3; // a level is a depth of field; 0 is sharp, 10 worst

given = split(getArgument(), ";");
if (given.length == 2) {
    folder = given[0];
    table = given[1];
} else {
    folder = getDirectory("Folder of images");
    table = folder + "focus.csv";
}
if (File.exists(table)) exit(table + " exists: choose another, or move it away");

setBatchMode(true);
run("Clear Results");
files = getFileList(folder);
for (i = 0; i < files.length; i++) {
    if (!matches(files[i], "(?i).*\\.(tiff?|png)")) continue;
    // A file that cannot be opened: ImageJ says so and goes on; without a window it ends the macro.
    before = nImages;
    open(folder + File.separator + files[i]);
    if (nImages == before) {
        print(files[i] + ": could not be opened");
        continue; // what is in front now is an image of yours
    }
    // It is for widefield fluorescence and does not guess: say so for others. Other parameters: docs/fiji.md.
    run("Measure Image Focus...", "modality=widefield_fluorescence");
    close();
}
for (row = 0; row < nResults; row++) {
    level = getResult("ImageFocus_Score", row);
    if (isNaN(level)) print(getResultLabel(row) + ": no answer, " + getResultString("ImageFocus_Status", row));
    else if (level >= worst) print(getResultLabel(row) + ": level " + d2s(level, 1));
}
saveAs("Results", table);
print(nResults + " images, written to " + table);
