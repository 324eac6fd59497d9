//! The objects of org.bluez: an adapter, the meter, its service and characteristics.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dbus::arg::{PropMap, RefArg, Variant};

use super::Behaviour;

pub const ADDRESS: &str = "FC:69:47:06:CB:C6";
pub const ADAPTER: &str = "/org/bluez/hci0";
pub const DEVICE: &str = "/org/bluez/hci0/dev_FC_69_47_06_CB_C6";
const SERVICE: &str = "0000fff0-0000-1000-8000-00805f9b34fb";

/// An object's interfaces and their properties.
pub type Object = HashMap<String, PropMap>;

/// The link, as BlueZ sees it.
#[derive(Default)]
pub struct State {
    pub is_connected: bool,
    pub is_resolved: bool,
    pub is_notifying: bool,
    /// The handle of the service, which its path is made of.
    pub service: u16,
}

impl State {
    fn service_path(&self) -> String {
        format!("{DEVICE}/service{:04x}", self.service)
    }

    /// The path of `fff1` to `fff4`.
    pub fn characteristic(&self, number: u16) -> String {
        format!("{}/char{:04x}", self.service_path(), self.service + 2 * number - 1)
    }

    /// Everything that is there.
    pub fn objects(&self, behaviour: &Behaviour) -> BTreeMap<String, Object> {
        let mut objects = BTreeMap::new();
        let mut adapter = PropMap::new();
        put(&mut adapter, "Address", "00:11:22:33:44:55".to_owned());
        put(&mut adapter, "AddressType", "public".to_owned());
        put(&mut adapter, "Name", "bowie".to_owned());
        put(&mut adapter, "Alias", "bowie".to_owned());
        if behaviour.has_modalias {
            put(&mut adapter, "Modalias", "usb:v1D6Bp0246d0542".to_owned());
        }
        put(&mut adapter, "Powered", behaviour.is_powered);
        put(&mut adapter, "Discovering", false);
        objects.insert(ADAPTER.to_owned(), one("org.bluez.Adapter1", adapter));
        if behaviour.is_known {
            objects.insert(DEVICE.to_owned(), one("org.bluez.Device1", self.device(behaviour)));
        }
        if self.is_connected && self.is_resolved {
            self.services(&mut objects);
        }
        objects
    }

    fn device(&self, behaviour: &Behaviour) -> PropMap {
        let mut device = PropMap::new();
        put(&mut device, "Address", ADDRESS.to_owned());
        put(&mut device, "AddressType", "public".to_owned());
        put(&mut device, "Alias", "Voltcraft".to_owned());
        put(&mut device, "Name", "Voltcraft".to_owned());
        put(&mut device, "UUIDs", vec![SERVICE.to_owned()]);
        put(&mut device, "Adapter", dbus::Path::from(ADAPTER));
        for (name, is_so) in [
            ("Paired", false),
            ("Trusted", false),
            ("Blocked", false),
            ("LegacyPairing", false),
            ("Connected", self.is_connected),
            ("ServicesResolved", self.is_resolved),
        ] {
            put(&mut device, name, is_so);
        }
        // Only what advertises has a strength; what is connected does not advertise.
        if !self.is_connected && !behaviour.is_held {
            put(&mut device, "RSSI", -60i16);
        }
        device
    }

    fn services(&self, objects: &mut BTreeMap<String, Object>) {
        let path = self.service_path();
        let mut service = PropMap::new();
        put(&mut service, "UUID", SERVICE.to_owned());
        put(&mut service, "Primary", true);
        put(&mut service, "Device", dbus::Path::from(DEVICE));
        for number in 1..=4u16 {
            let mut characteristic = PropMap::new();
            let flags = ["read", "read", "write-without-response", "notify"];
            let uuid = format!("0000fff{number}-0000-1000-8000-00805f9b34fb");
            put(&mut characteristic, "UUID", uuid);
            put(&mut characteristic, "Service", dbus::Path::from(path.clone()));
            let flags = vec![flags[usize::from(number) - 1].to_owned()];
            put(&mut characteristic, "Flags", flags);
            put(&mut characteristic, "Value", Vec::<u8>::new());
            put(&mut characteristic, "Notifying", number == 4 && self.is_notifying);
            let object = one("org.bluez.GattCharacteristic1", characteristic);
            objects.insert(self.characteristic(number), object);
        }
        objects.insert(path, one("org.bluez.GattService1", service));
    }
}

fn one(interface: &str, properties: PropMap) -> Object {
    HashMap::from([(interface.to_owned(), properties)])
}

fn put(properties: &mut PropMap, name: &str, value: impl RefArg + 'static) {
    properties.insert(name.to_owned(), Variant(Box::new(value)));
}

/// One property.
pub fn property(name: &str, value: impl RefArg + 'static) -> PropMap {
    let mut properties = PropMap::new();
    put(&mut properties, name, value);
    properties
}

/// The same properties once more.
pub fn copy(properties: &PropMap) -> PropMap {
    properties.iter().map(|(name, value)| (name.clone(), Variant(value.0.box_clone()))).collect()
}

/// What is below a path, by name; `None` where there is nothing.
pub fn introspect(path: &str, objects: &BTreeMap<String, Object>) -> Option<String> {
    objects.get(path)?;
    let below = format!("{path}/");
    let children = objects.keys().filter_map(|object| object.strip_prefix(&below));
    let children: BTreeSet<&str> = children.filter_map(|child| child.split('/').next()).collect();
    let nodes: String = children.iter().map(|child| format!("<node name=\"{child}\"/>")).collect();
    Some(format!("<node>{nodes}</node>"))
}
