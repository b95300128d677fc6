//! The state that a `revision_conflict` shows: the same object that a GET would give, whose shape
//! depends on the resource.

use std::borrow::Cow;

use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use serde_json::Value;

#[derive(Debug, Clone, serde::Serialize)]
#[serde(transparent)]
pub struct CurrentState(pub Value);

impl Type for CurrentState {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "CurrentState".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference("CurrentState".into())
    }

    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>("CurrentState".into(), |_| MetaSchema {
            description: Some("The resource as a GET would show it now."),
            additional_properties: Some(Box::new(MetaSchemaRef::Inline(Box::new(MetaSchema::ANY)))),
            ..MetaSchema::new("object")
        });
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl ParseFromJSON for CurrentState {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        value.map(Self).ok_or_else(ParseError::expected_input)
    }
}

impl ToJSON for CurrentState {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.clone())
    }
}
