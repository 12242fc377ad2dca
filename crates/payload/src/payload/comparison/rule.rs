//! The rules of `buf breaking` that a change can break, under buf's names, and what each of them protects.

/// What a change breaks. The order is that of severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Breaks {
    /// Nothing: bytes and names are read as before.
    Nothing,
    /// Names: bytes are read as before, but JSON, views and rules that name a field or a value are not.
    Names,
    /// Bytes: captured bytes are read differently, or not at all.
    Wire,
}

impl Breaks {
    /// The word for it in reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "compatible",
            Self::Names => "names",
            Self::Wire => "wire",
        }
    }
}

macro_rules! rules {
    ($($variant:ident $name:literal $breaks:ident;)*) => {
        /// A rule of `buf breaking`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "buf documents its rules")]
        pub enum Rule { $($variant,)* }

        impl Rule {
            /// All rules that are checked.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name in buf.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What breaks with it: `Wire` for the rules in buf's category `WIRE`, `Names` for those only in `WIRE_JSON`.
            #[must_use]
            pub const fn breaks(self) -> Breaks {
                match self { $(Self::$variant => Breaks::$breaks,)* }
            }
        }
    };
}

rules! {
    EnumValueNoDeleteUnlessNumberReserved "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED" Wire;
    EnumValueNoDeleteUnlessNameReserved "ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED" Names;
    EnumValueSameName "ENUM_VALUE_SAME_NAME" Names;
    FieldNoDeleteUnlessNumberReserved "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED" Wire;
    FieldNoDeleteUnlessNameReserved "FIELD_NO_DELETE_UNLESS_NAME_RESERVED" Names;
    FieldSameDefault "FIELD_SAME_DEFAULT" Wire;
    FieldSameJsonName "FIELD_SAME_JSON_NAME" Names;
    FieldSameName "FIELD_SAME_NAME" Names;
    FieldSameOneof "FIELD_SAME_ONEOF" Wire;
    FieldWireCompatibleCardinality "FIELD_WIRE_COMPATIBLE_CARDINALITY" Wire;
    FieldWireCompatibleType "FIELD_WIRE_COMPATIBLE_TYPE" Wire;
    FieldWireJsonCompatibleCardinality "FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY" Names;
    FieldWireJsonCompatibleType "FIELD_WIRE_JSON_COMPATIBLE_TYPE" Names;
    FileSamePackage "FILE_SAME_PACKAGE" Wire;
    // buf has this rule in the category FILE only. A payload names its type, so without the type it cannot be read.
    MessageNoDelete "MESSAGE_NO_DELETE" Wire;
    MessageSameRequiredFields "MESSAGE_SAME_REQUIRED_FIELDS" Wire;
    ReservedEnumNoDelete "RESERVED_ENUM_NO_DELETE" Wire;
    ReservedMessageNoDelete "RESERVED_MESSAGE_NO_DELETE" Wire;
}
