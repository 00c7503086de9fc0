export {
  choice,
  flag,
  integer,
  integers,
  keyOf,
  numeric,
  optionalNumber,
  optionalNumbers,
  resolve,
  type Field,
  type Fields,
} from './fields.ts'
