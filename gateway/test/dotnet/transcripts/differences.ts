/** Where our app SDK differs from ASP.NET Core on purpose, or because it must. Listed in docs/compatibility.md too. */
export interface Difference {
  /** For people: what clients see differently. */
  readonly what: string;
  readonly reason: string;
  /** In which script, and which part of the stock hub's transcript is which part of ours. */
  readonly passages: readonly Passage[];
}

type Passage = readonly [title: string, stock: string, ours: string];

const detailed = (title: string): string => `${title}, with detailed errors`;

/** As it stands inside a JSON string. */
const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);

const both = (title: string, stock: string, ours: string): Passage[] => [
  [title, stock, ours],
  [detailed(title), stock, ours],
];

const badMessage = (title: string, stock: string, ours: string): Passage => [
  detailed(title),
  inJson(`InvalidDataException: ${stock}`),
  inJson(`InvalidDataException: ${ours}`),
];

const badHandshake = (title: string, stock: string): Passage => [detailed(title), ` ${inJson(stock)}"`, '"'];

const cannotBind =
  'InvalidDataException: Error binding arguments. Make sure that the types of the provided values match the types of the hub method being invoked.';
const notBound = (target: string): string => `Failed to invoke '${target}' due to an error on the server.`;
const broke = (target: string): string => `An unexpected error occurred invoking '${target}' on the server.`;
const id = '"invocationId" must be a string that is not empty';
const noId = "Missing required property 'invocationId'.";
const fence = 'ann: {"type":3,"invocationId":"c1","result":"the end of the script"}';
const answered = `{"type":3,"invocationId":"1","result":null}\n${fence}`;
const closed = '{"type":7,"error":"Connection closed with an error.';

/** All of them: the suite fails on a difference that is not here, and on one that is no more. */
export const differences: readonly Difference[] = [
  {
    what: 'escapes in JSON texts',
    reason:
      'The value is the same: .NET escapes U+2028 and characters beyond U+FFFF, JavaScript writes them as they are.',
    passages: [
      ['results of every kind', '"é\\uD83D\\uDE00\\n\\""', '"é😀\\n\\""'],
      ['results of every kind', '"\\u2028 <b>', '"\u2028 <b>'],
    ],
  },
  {
    what: 'details of a message that cannot be read, with detailed errors',
    reason:
      "The words are those of .NET's JSON reader; ours name the same rule. Without detailed errors the bytes are equal.",
    passages: [
      badMessage('text that is no JSON', 'Error reading JSON.', 'a hub message must be valid JSON'),
      badMessage('an empty record', 'Error reading JSON.', 'a hub message must be valid JSON'),
      badMessage(
        'a list',
        "Unexpected JSON Token Type 'Array'. Expected a JSON Object.",
        'a hub message must be a JSON object',
      ),
      badMessage('a message without a type', "Missing required property 'type'.", '"type" must be a number'),
      badMessage('a type in quotes', "Expected 'type' to be of type Number.", '"type" must be a number'),
      badMessage(
        'a call without a target',
        "Missing required property 'target'.",
        '"target" must be a string that is not empty',
      ),
      badMessage('a call with an id that is a number', "Expected 'invocationId' to be of type String.", id),
      badMessage(
        'a call whose arguments are an object',
        "Expected 'arguments' to be of type Array.",
        '"arguments" must be an array',
      ),
      badMessage('a stream without an id', noId, id),
      badMessage('an item without an id', noId, id),
      badMessage('a completion without an id', noId, id),
      badMessage('a cancel without an id', noId, id),
      badMessage('an item without an item', "Missing required property 'item'.", '"item" must be present'),
      badMessage(
        'a completion with a result and an error',
        "The 'error' and 'result' properties are mutually exclusive.",
        'a completion must not have both "error" and "result"',
      ),
      badMessage(
        'headers that are no object',
        "Expected 'headers' to be of type StartObject.",
        '"headers" must be an object of strings',
      ),
    ],
  },
  {
    what: 'details of a handshake that cannot be read, with detailed errors',
    reason: 'ASP.NET Core repeats what the client sent; ours says that it was no handshake.',
    passages: [
      badHandshake(
        'a handshake without a protocol',
        `InvalidDataException: Missing required property 'protocol'. Message content: {"version":1}`,
      ),
      badHandshake(
        'a handshake without a version',
        `InvalidDataException: Missing required property 'version'. Message content: {"protocol":"json"}`,
      ),
      badHandshake(
        'a handshake with a version in quotes',
        "InvalidDataException: Expected 'version' to be of type Number.",
      ),
      badHandshake(
        'a handshake that is no JSON',
        "JsonReaderException: 'h' is an invalid start of a value. LineNumber: 0 | BytePositionInLine: 0.",
      ),
      badHandshake(
        'a handshake that is a list',
        "InvalidDataException: Unexpected JSON Token Type 'Array'. Expected a JSON Object.",
      ),
      badHandshake(
        'a hub message in place of the handshake',
        `InvalidDataException: Missing required property 'protocol'. Message content: {"type":6}`,
      ),
    ],
  },
  {
    what: 'a call without the member `arguments`',
    reason:
      'ASP.NET Core closes the connection. Ours takes it for a call without arguments; no official client sends it.',
    passages: [
      ['a call without the member arguments', `${closed}","allowReconnect":true}\nann: closed with 1000`, answered],
      [
        detailed('a call without the member arguments'),
        `${closed} InvalidDataException: Missing required property 'arguments'.","allowReconnect":true}\nann: closed with 1000`,
        answered,
      ],
    ],
  },
  {
    what: 'a message of a type that nobody knows',
    reason:
      'ASP.NET Core stops reading until its size limit ends the connection. The protocol says to skip it, and ours does.',
    passages: [
      [
        'a type that nobody knows, and a call behind it',
        `${closed} InvalidDataException: The maximum message size of 1024B was exceeded. The message size can be configured in AddHubOptions.","allowReconnect":true}\nann: closed with 1000`,
        `{"type":3,"invocationId":"1","result":"${'x'.repeat(960)}"}\n${fence}`,
      ],
    ],
  },
  {
    what: 'wrong arguments of a method without a schema',
    reason: 'Types of the contract are erased, so nothing is checked unless `validate` has a schema for the method.',
    passages: [['too few arguments for a method that checks none', `"error":"${notBound('Later')}"`, '"result":null']],
  },
  {
    what: 'too many arguments, with detailed errors',
    reason: 'A schema tells that arguments do not fit, not how many a method takes: it may have optional ones.',
    passages: [
      [
        detailed('too many arguments'),
        'InvalidDataException: Invocation provides 3 argument(s) but target expects 2.',
        cannotBind,
      ],
    ],
  },
  {
    what: 'streams that a method does not take, or that are missing',
    reason:
      'The contract of a method is erased: a schema sees streams as arguments, and refuses as it does any of them.',
    passages: [
      [
        'an upload that the method does not take',
        `${broke('Add')} HubException: Client sent 1 stream(s), Hub method expects 0.`,
        notBound('Add'),
      ],
      [
        detailed('an upload that the method does not take'),
        `${broke('Add')} HubException: Client sent 1 stream(s), Hub method expects 0.`,
        `${notBound('Add')} ${cannotBind}`,
      ],
      [
        'no upload where the method takes one',
        `${broke('Sum')} HubException: Client sent 0 stream(s), Hub method expects 1.`,
        notBound('Sum'),
      ],
      [
        detailed('no upload where the method takes one'),
        `${broke('Sum')} HubException: Client sent 0 stream(s), Hub method expects 1.`,
        `${notBound('Sum')} InvalidDataException: Invocation provides 0 argument(s) but target expects 1.`,
      ],
    ],
  },
  {
    what: 'items of uploads and results of clients that have a wrong type',
    reason: 'Types are erased: the method gets what came, and must look at what it does not trust.',
    passages: [
      [
        'an upload with an item of a wrong type',
        `"error":"${broke('Sum')} HubException: Failed to bind Stream message."`,
        '"result":"1two"',
      ],
      [
        detailed('an upload with an item of a wrong type'),
        `"error":"${broke('Sum')} HubException: Failed to bind Stream message. JsonException: The JSON value could not be converted to System.Int32. Path: $ | LineNumber: 0 | BytePositionInLine: 5."`,
        '"result":"1two"',
      ],
      ...both(
        'a question that is answered with a wrong type',
        `"error":"${broke('AskCaller')} HubException: Error trying to deserialize result to String. The JSON value could not be converted to System.String. Path: $ | LineNumber: 0 | BytePositionInLine: 1."`,
        '"result":"you are 7"',
      ),
      ...both(
        'a question that is answered with nothing',
        `"error":"${broke('AskCaller')} HubException: Exception of type 'Microsoft.AspNetCore.SignalR.HubException' was thrown."`,
        '"result":"you are undefined"',
      ),
    ],
  },
  {
    what: 'a call with the id of a plain call that runs',
    reason: 'Ours refuses the second one, since an id names what a cancel means; no official client uses an id twice.',
    passages: [
      [
        'a call that runs keeps its id',
        '"invocationId":"1","result":3',
        `"invocationId":"1","error":"Invocation ID '1' is already in use."`,
      ],
    ],
  },
  {
    what: 'names of errors that are not hub exceptions, with detailed errors',
    reason: 'They are the names of classes, and ours are not those of .NET.',
    passages: [
      [
        detailed('a question to a client that is not there'),
        'IOException: Connection',
        'ClientResultError: Connection',
      ],
    ],
  },
];
