/** The MQTT client, built to a file of its own that is loaded when the first broker is connected to. */
export { default as MqttClient } from 'mqtt/lib/client';
