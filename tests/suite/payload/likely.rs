//! The message that most likely led to an event.

use std::collections::BTreeSet;

use angzarr_replay::internal::model::Payload;
use angzarr_replay::internal::payload::{FieldOrigin, LikelyMessage, Registry};

use crate::payload::value;

const PROTO: &str = r#"
syntax = "proto3";
package shop;
message Address { string city = 1; }
message ShipOrder {
  string order_id = 1;
  Address address = 2;
  int32 weight = 3;
  oneof speed { bool fast = 4; bool slow = 5; }
}
message CancelOrder { string order_id = 1; }
message OrderShipped { string order_id = 1; Address shipped_to = 2; bool slow = 3; string weight = 4; }
message OrderCancelled { string order_id = 1; }
message ParcelShipped { string order_id = 1; }
"#;

fn registry() -> Registry {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shop.proto"), PROTO).unwrap();
    Registry::from_paths(&[folder.path().to_owned()]).unwrap()
}

fn guess(event: &str, view: &str, named: Option<&str>) -> Option<LikelyMessage> {
    let registry = registry();
    let bytes = registry.encode(event, &value(view)).unwrap();
    registry.likely_message(&Payload::new(event, bytes), named, &BTreeSet::new())
}

const SHIPPED: &str = "{order_id: o7, shipped_to: {city: Turin}, slow: true, weight: heavy}";

#[test]
fn fields_are_filled_by_name_and_type_and_every_guess_is_marked() {
    let likely = guess("shop.OrderShipped", SHIPPED, None).unwrap();
    assert_eq!(likely.type_name, "shop.ShipOrder");
    let fields: Vec<_> = likely
        .fields
        .iter()
        .map(|field| (field.name.as_str(), &field.value, &field.origin))
        .collect();
    let other = FieldOrigin::SameType("shipped_to".into());
    assert_eq!(
        fields,
        [
            ("order_id", &value("o7"), &FieldOrigin::SameName),
            ("address", &value("{city: Turin}"), &other),
            // The event's weight is a text.
            ("weight", &value("0"), &FieldOrigin::Example),
            // Only one field of the oneof.
            ("slow", &value("true"), &FieldOrigin::SameName),
        ]
    );
}

#[test]
fn other_messages_are_not_meant() {
    // `ParcelShipped` ends as the event does: it is an event too. `CancelOrder` has another verb, and fits less.
    let likely = guess("shop.OrderShipped", SHIPPED, None).unwrap();
    assert_eq!(likely.others, ["shop.CancelOrder", "shop.OrderCancelled"]);
    let named = guess("shop.OrderShipped", SHIPPED, Some("shop.CancelOrder")).unwrap();
    assert_eq!(
        (named.type_name.as_str(), named.fields.len()),
        ("shop.CancelOrder", 1)
    );
    // Nothing of an address is an order.
    assert_eq!(guess("shop.Address", "{city: Turin}", None), None);
}
