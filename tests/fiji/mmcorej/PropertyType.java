package mmcorej;

public enum PropertyType {
    Undef,
    String,
    Float,
    Integer
}
