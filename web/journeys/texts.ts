// The texts of the portal as journeys in English read them.

import { format, type Params } from '../src/lib/message'
import en from '../src/messages/en.json' with { type: 'json' }

export const t = (key: keyof typeof en, params: Params = {}) => format(en[key], params, 'en')
